import type { RunEvent } from '../progress/events.ts';
import { withQuota } from './budget.ts';
import { gaugeReader } from './gauge-reader.ts';
import { estimate, oneLine, perSecond, plural, rate, stamp } from '../text/format.ts';
import type { Screen, ScreenSetting } from './screen.ts';
import { joined, newsOf, type Subject, subjectsOf } from './news.ts';
import { emptyView, paceOf, reduce } from '../progress/view.ts';

const LOOK_EVERY = 1_000;
const FIRST_AFTER = 5_000;
/** A subject of hours is shown less often: every this fraction of its age. */
const THEN_EVERY = 30_000;
const AT_LAST_EVERY = 300_000;
const SHARE_OF_AGE = 1 / 20;
/** Warnings shown one by one in this time; more are counted. */
const WARNINGS = 20;
const WARNINGS_EVERY = 600_000;

/** Timestamped lines: what changes, at once; progress, at a pace that can still be read after days. No escape codes. */
export function openPlain(setting: ScreenSetting): Screen {
  const { stream, clock, name } = setting;
  const reader = gaugeReader(setting.gauges);
  /** When each subject was last shown, and what. */
  const told = new Map<string, { readonly since: number; readonly due: number; readonly text: string }>();
  let view = emptyView(setting.stages);
  let warnings = { since: clock.now(), told: 0, unsaid: 0 };
  let gone = false;
  stream.on('error', () => {
    gone = true;
  });

  const say = (who: string, what: string) => {
    if (!gone) stream.write(`${stamp(clock.now())} ${oneLine(`${who}: ${what}`)}\n`);
  };

  const warn = ({ stage, message }: Extract<RunEvent, { type: 'warning' }>) => {
    if (warnings.told >= WARNINGS) {
      warnings = { ...warnings, unsaid: warnings.unsaid + 1 };
      return;
    }
    warnings = { ...warnings, told: warnings.told + 1 };
    say(stage ?? name, `warning: ${message}`);
  };

  const countUnsaid = () => {
    if (warnings.unsaid > 0)
      say(name, `${plural(warnings.unsaid, 'more warning')} not shown; they are in the log`);
    warnings = { since: clock.now(), told: 0, unsaid: 0 };
  };

  const speak = (subject: Subject) => {
    const pace = paceOf(view, subject.meter, clock.now());
    const isFree = view.stages.find(({ id }) => id === subject.stage)?.spends === 'work';
    const requests = isFree ? undefined : reader.latest()?.api?.perSecond;
    const own = pace?.rate === undefined ? '' : rate(pace.rate);
    const speed = requests === undefined ? own : `${perSecond(requests)} requests/s`;
    const time =
      isFree || pace?.left === undefined
        ? pace?.left
        : withQuota(pace.left, reader.apiRate(), reader.latest()?.api);
    const left = time === undefined ? '' : `${estimate(time)} left`;
    say(subject.who, joined([subject.amount, pace === undefined ? '' : speed, left, subject.note]));
  };

  const dueSubjects = (now: number): Subject[] => {
    const subjects = view.stages.flatMap(subjectsOf);
    const keys = new Set(subjects.map(({ key }) => key));
    for (const key of told.keys()) if (!keys.has(key)) told.delete(key);
    return subjects.filter((subject) => {
      const last = told.get(subject.key);
      const text = joined([subject.amount, subject.note]);
      if (last === undefined) told.set(subject.key, { since: now, due: now + FIRST_AFTER, text: '' });
      if (last === undefined || now < last.due || text === last.text) return false;
      const pause = Math.min(AT_LAST_EVERY, Math.max(THEN_EVERY, (now - last.since) * SHARE_OF_AGE));
      told.set(subject.key, { since: last.since, due: now + pause, text });
      return true;
    });
  };

  const look = async () => {
    if (clock.now() - warnings.since >= WARNINGS_EVERY) countUnsaid();
    const due = dueSubjects(clock.now());
    if (due.length === 0) return;
    await reader.read();
    for (const subject of due) speak(subject);
  };

  const stop = clock.every(LOOK_EVERY, () => void look());
  return {
    listen(event) {
      const before = view;
      view = reduce(view, event, clock.now());
      if (event.type === 'warning') warn(event);
      const news = newsOf(event, before, view, name, clock.now());
      if (news !== undefined) say(news.who, news.what);
    },
    async close() {
      stop();
      countUnsaid();
      if (!gone) await new Promise<void>((resolve) => void stream.write('', () => resolve()));
    },
  };
}
