// How answers are kept: a refetch shows the old ones meanwhile, and what the caller did wrong is not tried again.
import { keepPreviousData, MutationCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from './error';

const staleMs = 5_000;

export function createQueries(onFailure: (error: Error) => void): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: staleMs,
        placeholderData: keepPreviousData,
        retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status < 500),
      },
    },
    mutationCache: new MutationCache({
      onError: (error, _variables, _context, mutation) => {
        if (!mutation.meta?.showsItsErrors) onFailure(error);
      },
    }),
  });
}
