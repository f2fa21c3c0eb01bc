export interface Landed<T> {
  readonly value: T;
  /** Others are still in flight: see Step.pending. */
  readonly pending: boolean;
}

/**
 * Keeps up to `window` requests going and hands their answers over as they come in, so that the throttle is the limit
 * and neither latency nor one slow request is.
 *
 * `next` gives the next request, or undefined while there is none; it is asked again after every answer. After an error
 * or a stop nothing new begins, but what is in flight is still handed over before the error is thrown.
 */
export async function* inFlight<T>(
  window: number | (() => number),
  stop: AbortSignal,
  next: () => Promise<(() => Promise<T>) | undefined>,
): AsyncGenerator<Landed<T>, void, undefined> {
  type Settled = { readonly value: T } | { readonly error: unknown };
  const landed: Settled[] = [];
  let flying = 0;
  let failure: { error: unknown } | undefined;
  let wake = (): void => undefined;

  const launch = (request: () => Promise<T>): void => {
    flying += 1;
    const land = (settled: Settled): void => {
      flying -= 1;
      landed.push(settled);
      wake();
    };
    request().then(
      (value) => land({ value }),
      (error: unknown) => land({ error }),
    );
  };

  const most = typeof window === 'number' ? () => window : window;
  for (;;) {
    while (!failure && !stop.aborted && flying + landed.length < most()) {
      try {
        const request = await next();
        if (!request) break;
        launch(request);
      } catch (error) {
        failure = { error };
      }
    }
    const settled = landed.shift();
    if (!settled) {
      if (flying === 0) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    if ('error' in settled) failure ??= settled;
    else yield { value: settled.value, pending: flying + landed.length > 0 };
  }
  stop.throwIfAborted();
  if (failure) throw failure.error;
}
