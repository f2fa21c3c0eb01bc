import type { KeyPath } from './diagnostics.ts';
import { didYouMean } from '../text/nearest.ts';

/** What the graph needs to know of a stage. */
export interface GraphStage {
  readonly id: string;
  readonly needs: readonly string[];
  readonly alongside: readonly string[];
}

/** A stage as written: what is not usable in it is undefined, so that positions in its lists stay right. */
export interface StageDraft {
  readonly id: string | undefined;
  readonly needs: readonly (string | undefined)[];
  readonly alongside: readonly (string | undefined)[];
}

export interface StageGraph {
  /** In the order they can start; in the order of the file where that leaves a choice. */
  readonly order: readonly string[];
  needs(id: string): readonly string[];
  companions(id: string): readonly string[];
  /**
   * Of the stages that this one needs, directly or through others, those that neither do other work than requests nor
   * wait for a stage that does.
   */
  ahead(id: string, sendsRequests: (id: string) => boolean): readonly string[];
  /** All stages that need this one, directly or through others, in the order of the file. */
  dependents(id: string): readonly string[];
}

/** Paths count from the list of stages: [2, 'needs', 0]. */
export interface GraphMistake {
  readonly path: KeyPath;
  readonly message: string;
  readonly also?: { readonly path: KeyPath; readonly message: string };
}

interface Link {
  readonly kind: 'needs' | 'alongside';
  readonly to: string;
  readonly path: KeyPath;
}

export function findGraphMistakes(stages: readonly StageDraft[]): GraphMistake[] {
  const mistakes: GraphMistake[] = [];
  const places = new Map<string, KeyPath>();
  const links = new Map<string, readonly Link[]>();
  const known = stages.flatMap(({ id }) => id ?? []);
  // While an id is missing or unusable, a name that matches no stage may well be meant for that one.
  const namesAreComplete = known.length === stages.length;

  for (const [index, stage] of stages.entries()) {
    const sound = linksOf(stage, index).filter((link, position, all) => {
      const twin = all.slice(0, position).find(({ to }) => to === link.to);
      if (link.to === stage.id) {
        mistakes.push({
          path: link.path,
          message: `${link.to} names the stage itself, expected another stage`,
        });
      } else if (twin) {
        const message =
          twin.kind === link.kind
            ? `${link.to} is named twice, expected once`
            : `${link.to} is also in needs, expected only one: needs starts after it, alongside together with it`;
        mistakes.push({ path: link.path, message });
      } else if (!known.includes(link.to)) {
        const message = `no stage is called ${link.to}${didYouMean(link.to, known)}, expected one of: ${[...new Set(known)].join(', ')}`;
        if (namesAreComplete) mistakes.push({ path: link.path, message });
      } else {
        return true;
      }
      return false;
    });
    if (stage.id === undefined) continue;
    const first = places.get(stage.id);
    if (first) {
      mistakes.push({
        path: [index, 'id'],
        message: `another stage is also called ${stage.id} too, expected a different id`,
        also: { path: first, message: 'the other is at' },
      });
    } else {
      places.set(stage.id, [index, 'id']);
      links.set(stage.id, sound);
    }
  }
  return [...mistakes, ...findCircles(links)];
}

export function buildGraph(stages: readonly GraphStage[]): StageGraph {
  const [mistake] = findGraphMistakes(stages);
  if (mistake) throw new Error(`internal: the stages were not checked: ${mistake.message}`);
  const byId = new Map(stages.map((stage) => [stage.id, stage]));
  const stageCalled = (id: string): GraphStage => {
    const stage = byId.get(id);
    if (!stage) throw new Error(`internal: no stage is called ${id}`);
    return stage;
  };

  const order = new Set<string>();
  while (order.size < stages.length) {
    // With companions it can start as soon as the first of them does.
    const next = stages.find(
      ({ id, needs, alongside }) =>
        !order.has(id) &&
        needs.every((other) => order.has(other)) &&
        (alongside.length === 0 || alongside.some((other) => order.has(other))),
    );
    if (!next) throw new Error('internal: stages without a circle have no order');
    order.add(next.id);
  }

  return {
    order: [...order],
    needs: (id) => stageCalled(id).needs,
    companions: (id) => stageCalled(id).alongside,
    ahead: (id, sendsRequests) => {
      const ground = (one: string): ReadonlySet<string> => {
        const { needs, alongside } = stageCalled(one);
        return new Set([...needs, ...alongside].flatMap((other) => [other, ...ground(other)]));
      };
      return [...ground(id)].filter((one) => [one, ...ground(one)].every(sendsRequests));
    },
    dependents: (id) => {
      const reached = new Set([stageCalled(id).id]);
      for (const other of order) {
        if (stageCalled(other).needs.some((needed) => reached.has(needed))) reached.add(other);
      }
      return stages.filter((stage) => stage.id !== id && reached.has(stage.id)).map((stage) => stage.id);
    },
  };
}

function linksOf(stage: StageDraft, index: number): Link[] {
  return (['needs', 'alongside'] as const).flatMap((kind) =>
    stage[kind].flatMap((to, position) =>
      to === undefined ? [] : { kind, to, path: [index, kind, position] },
    ),
  );
}

/**
 * Either link makes a stage end after the other one: with `needs` because it starts only then, with `alongside` by
 * its meaning. So any circle over both is a deadlock (X alongside Y, Y needs X: neither ever ends), and nothing else
 * is: that a stage waits for the first of its companions to start adds no circle of its own.
 *
 * Depth first in the order of the file, starting at its first stage: always the same trail.
 */
function findCircles(links: ReadonlyMap<string, readonly Link[]>): GraphMistake[] {
  const mistakes: GraphMistake[] = [];
  const inFileOrder = [...links.keys()];
  const done = new Set<string>();
  const told = new Set<string>();
  const visit = (id: string, trail: readonly string[], via: readonly Link[]): void => {
    const start = trail.indexOf(id);
    if (start >= 0) {
      const members = trail.slice(start);
      // One wrong link closes several circles; the first of them shows it.
      if (!members.some((member) => told.has(member))) {
        const circle = via.slice(start);
        const offset = members.indexOf(inFileOrder.find((member) => members.includes(member)) ?? id);
        mistakes.push(describeCircle([...circle.slice(offset), ...circle.slice(0, offset)]));
      }
      for (const member of members) told.add(member);
    } else if (!done.has(id)) {
      for (const link of links.get(id) ?? []) visit(link.to, [...trail, id], [...via, link]);
      done.add(id);
    }
  };
  for (const id of inFileOrder) visit(id, [], []);
  return mistakes;
}

function describeCircle(circle: readonly Link[]): GraphMistake {
  const trail = [circle.at(-1), ...circle].flatMap((link) => link?.to ?? []);
  const legs = circle.map(
    ({ kind, to }, index) => `${trail[index]} ${kind === 'needs' ? 'needs' : 'ends after'} ${to}`,
  );
  return {
    path: circle[0]?.path ?? [],
    message: `${trail.join(' → ')} is a circle (${legs.join(', ')}), expected no stage to wait for itself`,
  };
}
