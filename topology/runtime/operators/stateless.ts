import type { Operator } from '../../graph/operator.ts';
import type { Change } from '../../record.ts';
import type { Counter } from '../metrics.ts';
import type { Emit, ExecutableNode } from '../node.ts';
import type { StreamRecord } from '../stream-record.ts';

type Step = (record: StreamRecord, emit: Emit) => void;

/** Operators that look at one record and nothing else; undefined for all others. */
export function statelessNode(name: string, operator: Operator, dropped: Counter): ExecutableNode | undefined {
  const process = stepOf(operator, dropped);
  return process && { name, process };
}

function stepOf(operator: Operator, dropped: Counter): Step | undefined {
  switch (operator.op) {
    case 'filter':
      return (record, emit) => {
        if (operator.predicate(record.key, record.value) !== operator.not) emit(record);
      };
    case 'map':
      return (record, emit) => {
        const [key, value] = operator.mapper(record.key, record.value);
        emit(record.with(key, value));
      };
    case 'mapValues':
      return (record, emit) => emit(record.with(record.key, operator.mapper(record.value, record.key)));
    case 'flatMap':
      return (record, emit) => {
        for (const [key, value] of operator.mapper(record.key, record.value)) emit(record.with(key, value));
      };
    case 'flatMapValues':
      return (record, emit) => {
        for (const value of operator.mapper(record.value, record.key)) emit(record.with(record.key, value));
      };
    case 'selectKey':
      return (record, emit) => emit(record.with(operator.mapper(record.key, record.value), record.value));
    case 'peek':
      return (record, emit) => {
        operator.action(record.key, record.value);
        emit(record);
      };
    case 'foreach':
      return (record) => operator.action(record.key, record.value);
    case 'passThrough':
      return (record, emit) => emit(record);
    case 'dropNullKeys':
      return (record, emit) => {
        if (record.key === null) dropped.value += 1;
        else emit(record);
      };
    case 'toStream':
      return (record, emit) => {
        const value = (record.value as Change<unknown>).newValue;
        const key = operator.mapper === undefined ? record.key : operator.mapper(record.key, value);
        emit(record.with(key, value));
      };
    case 'tableSource':
    case 'aggregate':
    case 'windowedAggregate':
    case 'streamTableJoin':
    case 'process':
      return undefined;
  }
}
