import {workerData} from 'node:worker_threads';
import {createOnTopRunner, type OnTopTaskData} from '../models/failure/on-top-task.ts';
import {createTaskRunner, type FailureTaskData} from '../models/failure/task.ts';

const data = workerData as FailureTaskData | OnTopTaskData;

/** One Piscina task of a training. */
export default 'onTop' in data ? createOnTopRunner(data) : createTaskRunner(data);
