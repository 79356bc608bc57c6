// The inbox of dead letters: grouped by endpoint and reason, to be replayed or discarded after a preview.
import { useState } from 'react';
import { api } from '../api/client';
import type { DeadLetterGroup } from '../api/types';
import { Button } from '../design/controls/Button';
import { FilterBar } from '../design/controls/FilterBar';
import { Segmented } from '../design/controls/Segmented';
import { LateLine, Loaded, Skeleton } from '../design/feedback/Loaded';
import { Empty, NoMatch } from '../design/feedback/Notice';
import { PageHead } from '../design/layout/Card';
import { endpointName } from '../endpoints/name';
import { useT } from '../i18n';
import { ListFailure } from '../navigation/ListFailure';
import { useUrl } from '../navigation/url';
import { BulkBar } from './BulkBar';
import { BulkPanel } from './BulkPanel';
import { bulkOf, clearedFilter, filterOf, isFiltered, queryOf, type Target } from './bulk';
import './dead-letters.css';
import { DeadLetterList } from './DeadLetterList';
import { useLetterFilters } from './filters';
import { Groups } from './Groups';
import { RunningTasks } from './RunningTasks';
import { groupKey, namedIn, nameList } from './selection';

const refetchMs = 10_000;

export function DeadLettersView() {
  const t = useT();
  const [url, setUrl] = useUrl();
  const filter = filterOf(url);
  const isGrouped = url.by !== 'time' && (filter.state ?? 'open') === 'open';
  const groups = api.useQuery(
    'get',
    '/api/v1/dead-letter/group',
    { params: { query: { ...queryOf(filter), state: undefined } as never } },
    { refetchInterval: refetchMs },
  );
  const open = groups.data?.open;
  return (
    <>
      <PageHead
        title={open ? t.deadLetters.headline(open) : t.deadLetters.title}
        actions={
          open &&
          open.count > 0 && (
            <Button icon="replay" onClick={() => setUrl({ panel: 'replay', for: undefined, ids: undefined })}>
              {isFiltered(filter) ? t.deadLetters.replayMatching : t.deadLetters.replayAll}
            </Button>
          )
        }
      >
        <LateLine
          text={groups.data && t.deadLetters.summary(groups.data.endpoints, groups.data.openSinceYesterday)}
          isAwaited={groups.isPending}
        />
      </PageHead>
      <RunningTasks />
      <FilterBar values={url} onChange={setUrl} filters={useLetterFilters()}>
        <span className="grow" />
        <Segmented
          label={t.deadLetters.by}
          value={isGrouped ? 'endpoint' : 'time'}
          onChange={(value) =>
            setUrl({ by: value === 'time' ? 'time' : undefined, ...(value === 'endpoint' && { state: undefined }) })
          }
          options={[
            { value: 'endpoint', label: t.deadLetters.byEndpoint },
            { value: 'time', label: t.deadLetters.byTime },
          ]}
        />
      </FilterBar>
      {isGrouped && groups.error && !groups.data ? (
        <ListFailure error={groups.error} onRetry={groups.refetch} />
      ) : isGrouped ? (
        <Loaded query={groups} skeleton={<Skeleton height={400} />}>
          {(data) => <GroupedInbox groups={data.data} />}
        </Loaded>
      ) : (
        <DeadLetterList hasOwnFilters />
      )}
    </>
  );
}

function GroupedInbox({ groups }: { groups: DeadLetterGroup[] }) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const filter = filterOf(url);
  const [selected, setSelected] = useState<ReadonlySet<string>>(() => new Set(namedIn(url.for)));
  const [letters, setLetters] = useState<ReadonlySet<string>>(() => new Set(namedIn(url.ids)));
  const all = bulkOf(filter);
  const targetOf = (group: DeadLetterGroup): Target => ({
    filter: { ...all, appId: group.appId, endpointId: group.endpointId, reason: group.reason },
    label: `${group.appName} · ${endpointName(group.url)}`,
  });
  const keys = namedIn(url.for);
  const ids = namedIn(url.ids);
  const chosen = groups.filter((group) => selected.has(groupKey(group)));
  const targets =
    keys.length + ids.length > 0
      ? [
          ...groups.filter((group) => keys.includes(groupKey(group))).map(targetOf),
          ...(ids.length > 0 ? [{ filter: { ids }, label: t.count.deadLetters(ids.length) }] : []),
        ]
      : [{ filter: all, label: isFiltered(filter) ? t.deadLetters.allMatching : t.deadLetters.allOpen }];
  const count = chosen.reduce((sum, group) => sum + group.count, 0) + letters.size;
  const clear = () => {
    setSelected(new Set());
    setLetters(new Set());
  };
  return (
    <>
      {groups.length === 0 ? (
        <div className="card">
          {isFiltered(filter) ? (
            <NoMatch onClear={() => setUrl(clearedFilter())} />
          ) : (
            <Empty icon="deadLetter" title={t.deadLetters.none} command="postrider dead-letters list --state open">
              {t.deadLetters.noneNote}
            </Empty>
          )}
        </div>
      ) : (
        <Groups
          groups={groups}
          selected={selected}
          onSelect={setSelected}
          letters={letters}
          onSelectLetters={setLetters}
        />
      )}
      {count > 0 && (
        <BulkBar
          count={{ count, isCapped: chosen.some((group) => group.isCapped) }}
          note={
            chosen.length === 1 && letters.size === 0
              ? chosen.map((group) => `${group.appName}, ${t.deadLetters.reasons[group.reason]}`)[0]
              : undefined
          }
          onClear={clear}
          onAct={(panel) => setUrl({ panel, for: nameList(selected), ids: nameList(letters) })}
        />
      )}
      <BulkPanel
        act={url.panel === 'discard' ? 'discard' : 'replay'}
        isOpen={url.panel === 'replay' || url.panel === 'discard'}
        targets={targets}
        onClose={() => setUrl({ panel: undefined, for: undefined, ids: undefined })}
        onDone={clear}
      />
    </>
  );
}
