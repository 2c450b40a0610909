// Closes a run with the line that any reader of test output knows: 'N passed, N failed'.
// Counts AVA's own marks; a crash, a time-out or a file without tests is marked as a failure too.
import {readFileSync} from 'node:fs';

const lines = readFileSync(process.argv[2], 'utf8').split('\n');
const passed = lines.filter(line => /^\s+✔ /.test(line)).length;
const failed = lines.filter(line => /^\s+✘ /.test(line)).length;
console.log(`${passed} passed, ${failed} failed`);
// Nothing ran: whatever the exit codes before say, that is not a success.
if (passed === 0) process.exitCode = 1;
