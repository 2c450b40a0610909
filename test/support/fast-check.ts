// fast-check, which prints the seed and the smallest counterexample when a property fails: AVA shows the
// first assertion that failed and drops whatever is thrown after it.
import fc from 'fast-check';

fc.configureGlobal({
  reporter: run => {
    if (!run.failed) return;
    const message = fc.defaultReportMessage(run);
    console.error(message);
    throw new Error(message, {cause: run.errorInstance});
  },
});

export default fc;
