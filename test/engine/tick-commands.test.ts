/** What a partition's ticks make of commands, and of ids that come again. */
import test from 'ava';
import {recover} from '../../core/engine/recovery.ts';
import {requestBody} from '../../core/engine/request-body.ts';
import {codec} from '../../proto/codec.ts';
import {anEffect} from '../api/records.ts';
import {createRig, PARTITION, START_MS} from '../support/partition.ts';
import {at, command, create, tickAt} from '../support/ticks.ts';

test('a repeated command does nothing, and a mode or a pause is part of the journal', t => {
  const state = create();
  const pause = command('p', {kind: 'pause', comment: ''});
  t.like(tickAt(state, 1, {inbox: [pause]}), {control: {paused: true, mode: 'auto'}});
  t.like(tickAt(state, 2, {inbox: [command('r', {kind: 'resume', comment: ''})]}), {
    control: {paused: false},
  });
  t.is(tickAt(state, 3, {inbox: [pause]}).control, undefined);
  t.false(state.control.paused);
  const mode = tickAt(state, 4, {inbox: [command('m', {kind: 'set-mode', mode: 'advise'})]});
  t.is(mode.control?.mode, 'advise');
});

test('another command under an id that was used is taken: its sender was told that it counts', t => {
  const state = create();
  const pause = command('r', {kind: 'pause', comment: ''});
  const resume = command('r', {kind: 'resume', comment: ''});
  tickAt(state, 1, {inbox: [pause, pause]});
  t.true(state.control.paused);
  tickAt(state, 2, {inbox: [resume]});
  t.false(state.control.paused);
  tickAt(state, 3, {inbox: [pause]});
  t.true(state.control.paused);
  t.is(state.requests.size, 1);
});

test('a request asks for the same on its way into the log and out of it, whoever sent it when', t => {
  const bodies = [
    {kind: 'pause', comment: ''},
    {kind: 'resume', comment: ''},
    {kind: 'resume', comment: 'x'},
    {kind: 'set-mode', mode: 'auto'},
    {kind: 'declare-host', host: 'a', state: 'lost'},
    {kind: 'register-metric-set', name: 's', entityKind: 'host', columns: ['a', 'b']},
  ].map(body => {
    const record = command('r', body);
    const logged = codec.decodeInbox(codec.encodeInbox({...record, atMs: 9, author: 'other'}));
    t.is(requestBody(logged), requestBody(record));
    return requestBody(record);
  });
  t.is(new Set(bodies).size, bodies.length);
});

test('a command that has the request id of a result does not keep the result from being taken', t => {
  const state = create();
  const id = `${PARTITION}/1/1/0`;
  state.running.set(id, {...anEffect(0), id, issuedAtMs: at(0)});
  const forged = command(`effect/${id}`, {kind: 'resume', comment: ''});
  tickAt(state, 1, {inbox: [forged]});
  const result = {id, status: 'failed', code: 'x', message: '', figures: {}};
  const answer = command(`effect/${id}`, {kind: 'effect-result', result});
  tickAt(state, 2, {inbox: [answer, answer]});
  t.deepEqual([...state.running.values()], []);
});

test('ten thousand commands are remembered, no more', t => {
  const state = create();
  const inbox = Array.from({length: 10_001}, (_, index) =>
    command(`r${index}`, {kind: 'resume', comment: ''}),
  );
  tickAt(state, 1, {inbox});
  t.is(state.requests.size, 10_000);
  t.false(state.requests.has('r0'));
});

test('a command before the first sample does not begin the time of a cell whose samples have their own', async t => {
  const rig = createRig({runtime: {time: 'data'}});
  const runtime = await rig.start();
  const commandedAtMs = START_MS + 365 * 86_400_000;
  rig.clock.set(commandedAtMs);
  await rig.command({kind: 'set-mode', mode: 'advise'});
  await runtime.step(commandedAtMs);
  t.is(rig.ticks[0]?.timeMs, commandedAtMs);
  t.is(runtime.state.control.mode, 'advise');
  const seen: number[] = [];
  for (const at of [1, 2, 3, 4]) {
    rig.clock.set(START_MS + 1000 * at);
    await rig.send('a', 0.9);
    rig.clock.set(commandedAtMs + 1000 * at);
    await runtime.step(rig.clock.nowMs());
    await runtime.settled();
    seen.push(runtime.state.timeMs);
  }
  t.deepEqual(
    seen,
    [1, 2, 3, 4].map(at => START_MS + 1000 * at),
  );
  t.is(runtime.state.actors.path('hosts/a'), 'at-risk.watching');
  const {log, policy, scorer} = rig;
  const input = {log, codec, partition: PARTITION, policy, model: scorer.signature()};
  const {state} = await recover(input);
  t.is(state.timeMs, runtime.state.timeMs);
  t.is(state.control.mode, 'advise');
});
