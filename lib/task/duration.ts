const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds in 7d, 36h, 90m or 30s. A plain number says nothing about its unit and is refused. */
export function seconds(duration: string): number | undefined {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  const factor = unit === undefined ? undefined : unitSeconds[unit];
  return factor === undefined ? undefined : Number(amount) * factor;
}

/** What a duration from 1s to `most` looks like, in every unit: a form that editors can check as well. */
export function durationUpTo(most: string): RegExp {
  const limit = seconds(most) ?? 0;
  const forms = Object.entries(unitSeconds).flatMap(([unit, factor]) => {
    const amount = Math.floor(limit / factor);
    return amount > 0 ? `(${wholeNumberUpTo(amount)})${unit}` : [];
  });
  return new RegExp(`^0*(${forms.join('|')})$`);
}

/** Of 1 to `most`: 365 is [1-9]\d{0,1}, then [1-2]\d{2}, 3[0-5]\d{1}, 36[0-4], and 365 itself. */
function wholeNumberUpTo(most: number): string {
  const digits = String(most);
  const shorter = digits.length > 1 ? [`[1-9]\\d{0,${digits.length - 2}}`] : [];
  const below = Array.from(digits).flatMap((digit, place) => {
    const least = place === 0 ? 1 : 0;
    const left = digits.length - place - 1;
    if (Number(digit) <= least) return [];
    return `${digits.slice(0, place)}[${least}-${Number(digit) - 1}]${left > 0 ? `\\d{${left}}` : ''}`;
  });
  return [...shorter, ...below, digits].join('|');
}
