import {workerData} from 'node:worker_threads';
import {createTaskRunner, type FailureTaskData} from '../models/failure/task.ts';

/** One Piscina task of a training. */
export default createTaskRunner(workerData as FailureTaskData);
