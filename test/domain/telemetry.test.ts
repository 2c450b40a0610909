import test from 'ava';
import {hostName, vmName} from '../../core/domain/telemetry.ts';

test('a resource name is of a host, of a VM, or of neither', t => {
  t.is(hostName('hosts/h01'), 'h01');
  t.is(vmName('vms/v17'), 'v17');
  t.is(hostName('vms/v17'), undefined);
  t.is(vmName('hosts/h01'), undefined);
  t.is(hostName('h01'), undefined);
  t.is(hostName('hosts/a/b'), 'a/b');
});
