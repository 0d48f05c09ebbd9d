export {
  type Admission,
  createInstanceRecords,
  type InstanceRecords,
  type InstanceRecordsDependencies,
  type InstanceRecordsOptions,
  type ShownDocument,
} from './instance-records.ts';
