// Words that many views share.
import type { ApiError, FieldProblem } from '../../api/error';
import { answer } from './answers';
import { fields } from './fields';
import { type Count, capital, many, num } from './words';

function fieldSentence({ loc, msg }: FieldProblem): string {
  const [name = '', ...rest] = loc.slice(1);
  return `${capital([fields[name] ?? name, ...rest].join('.'))}: ${msg}.`;
}

export const common = {
  num,
  answer,
  states: {
    delivered: 'Delivered',
    in_flight: 'In flight',
    waiting: 'Waiting',
    held: 'Held',
    dead: 'Dead',
    cancelled: 'Cancelled',
  },
  range: 'Time range',
  ranges: { '1h': '1 h', '3h': '3 h', '24h': '24 h', '7d': '7 d', '30d': '30 d' },
  copy: 'Copy',
  copied: 'Copied',
  more: 'More',
  close: 'Close',
  cancel: 'Cancel',
  save: 'Save',
  create: 'Create',
  edit: 'Edit',
  delete: 'Delete…',
  deleteNow: 'Delete',
  show: 'Show',
  hide: 'Hide',
  none: 'none',
  all: 'all',
  yes: 'Yes',
  no: 'No',
  optional: 'optional',
  tryAgain: 'Try again',
  filter: 'Filter',
  addFilter: 'Add a filter',
  removeFilter: (name: string) => `Remove the filter ${name}`,
  clearFilters: 'Clear filters',
  noMatch: 'Nothing matches these filters',
  pages: 'Pages',
  firstPage: 'First page',
  nextPage: 'Next page',
  name: 'Name',
  created: 'Created',
  updated: 'Changed',
  unlimited: 'no limit',
  newRows: (count: number) => `${num(count)} new`,
  since: 'Since',
  until: 'Until',
  json: { pretty: 'Pretty', raw: 'Raw', search: 'Search in it' },
  exchange: {
    request: 'Request as sent',
    rebuilt: 'Request, rebuilt',
    response: 'Response',
    curl: 'Copy as curl',
    expunged: 'The payload was deleted.',
  },
  failure: {
    title: 'This could not be loaded',
    notDone: 'This could not be done',
    notFound: 'There is no such thing here',
    network: 'The server does not answer. Deliveries that are under way go on.',
    page: 'The page made a mistake. Reload it; if it happens again, tell those who run Postrider.',
    request: 'Request',
    noPage: 'There is no such page of this list.',
    /** The server tells it in English. */
    told: (error: Pick<ApiError, 'code' | 'message' | 'fields'>): string =>
      error.fields.length > 0 ? error.fields.map(fieldSentence).join(' ') : error.message,
  },
  live: {
    connecting: 'Connecting',
    live: 'Live',
    sampled: (shown: number, of: number) => `Live, ${num(shown)} of ${num(of)} shown`,
    lost: (since: string) => `Not live since ${since}, trying again`,
    off: 'Not live',
  },
  count: {
    deliveries: (count: Count) => many(count, 'delivery', 'deliveries'),
    messages: (count: Count) => many(count, 'message', 'messages'),
    endpoints: (count: Count) => many(count, 'endpoint', 'endpoints'),
    deadLetters: (count: Count) => many(count, 'dead letter', 'dead letters'),
    attempts: (count: Count) => many(count, 'attempt', 'attempts'),
  },
};
