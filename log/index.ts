export { assignPartitions, type Assigned, type Subscriber } from './assignment.ts';
export {
  partitionAssignor,
  withholdMoving,
  type Assignor,
  type GroupAssignment,
  type Subscription,
} from './assignor.ts';
export * from './embedded/index.ts';
export * from './kafka/index.ts';
export type * from './log.ts';
export { murmur2, partitionForKey } from './partitioner.ts';
