// Where an axis has its ticks: at round values.

import { clockOf, dateOf, dayOfYear, monthOf } from "./format.js";

/**
 * Returns the ticks of an axis of counts from 0: whole numbers, a step of 1, 2 or 5 times a power of ten apart, of which
 * the last is not below `max`.
 */
export function countTicks(max, wanted = 4) {
  const rough = Math.max(max, 1) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(
    1,
    [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * (1 - 1e-9)),
  );
  const ticks = [];
  for (let number = 0; number <= Math.ceil(max / step) || number <= 1; number += 1) ticks.push(number * step);
  return ticks;
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const monday = 4 * day;
const steps = [1, 2, 5, 10, 15, 30]
  .map((minutes) => minutes * minute)
  .concat(
    [1, 2, 3, 6, 12].map((hours) => hours * hour),
    [1, 2, 7, 14, 28].map((days) => days * day),
  );
const monthSteps = [1, 2, 3, 6].concat(
  [1, 10, 100, 1000, 10_000, 100_000].flatMap((years) => [12 * years, 24 * years, 60 * years]),
);

/**
 * Returns the ticks between two times in seconds, at most `most`: full minutes, hours, days, Mondays, months or years.
 * Each has its time and its label. There are none where a calendar ends.
 */
export function timeTicks(from, to, most = 8) {
  if (!dateOf(from) || !dateOf(to)) return [];
  const step = steps.find((step) => (to - from) / step <= most);
  if (step) return regularTicks(from, to, step);
  for (const months of monthSteps) {
    const ticks = monthTicks(from, to, months, most);
    if (ticks) return ticks;
  }
  return [];
}

function regularTicks(from, to, step) {
  // Weeks begin on Mondays.
  const origin = step > day ? monday : 0;
  const ticks = [];
  for (let at = Math.ceil((from - origin) / step) * step + origin; at <= to; at += step) {
    const date = dateOf(at);
    ticks.push({ at, label: at % day === 0 ? dayOfYear(date) : clockOf(date) });
  }
  return ticks;
}

function monthTicks(from, to, months, most) {
  const begin = dateOf(from);
  let number = Math.ceil((begin.getUTCFullYear() * 12 + begin.getUTCMonth()) / months) * months;
  const ticks = [];
  for (; ; number += months) {
    const date = new Date(0);
    date.setUTCFullYear(Math.floor(number / 12), number - 12 * Math.floor(number / 12), 1);
    const at = date.getTime() / 1000;
    // A comparison with NaN, beyond the calendar, ends the loop as well.
    if (!(at <= to)) return ticks;
    if (at < from) continue;
    if (ticks.length >= most) return null;
    ticks.push({ at, label: months < 12 ? monthOf(date) : String(date.getUTCFullYear()) });
  }
}
