// Numbers and times for people. The engine need not know about languages and time zones: the page is in English, and
// times are in UTC.

/** Between a number and its unit, and within a date, where no line may end. */
const space = "\u00a0";

/** `1234567` as `1,234,567`. */
export function count(number) {
  return String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A count with its noun: `1 request`, `2 requests`. */
export function counted(number, noun, plural = `${noun}s`) {
  return `${count(number)} ${Number(number) === 1 ? noun : plural}`;
}

/** A count for an axis: `12 k`. */
export function short(number) {
  const units = ["", "k", "M", "G", "T", "P", "E"];
  let unit = 0;
  // Up to four digits are as short as with a unit.
  while (number >= 10_000 && unit < units.length - 1) {
    do {
      number /= 1000;
      unit += 1;
    } while (number >= 1000 && unit < units.length - 1);
  }
  return `${count(Number(number.toPrecision(unit === 0 ? 12 : 3)))}${unit === 0 ? "" : space}${units[unit]}`;
}

/** A count where there is little room: in full below a thousand millions. */
export function fitting(number) {
  return number < 1_000_000_000n ? count(number) : short(Number(number));
}

/** A part of a whole: `12.5%`. */
export function share(part, whole) {
  if (Number(part) === 0) return "0%";
  const percent = (Number(part) * 100) / Number(whole);
  if (percent > 0 && percent < 0.05) return "<0.1%";
  if (percent < 100 && percent >= 99.95) return ">99.9%";
  return `${percent.toFixed(1)}%`;
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** A number of bytes: `12.3 KiB`. */
export function bytes(number) {
  let value = Number(number);
  let unit = 0;
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  // What would be rounded up to the next unit is that.
  if (unit > 0 && value >= 1023.5 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const rounded = Number(value.toFixed(unit === 0 || value >= 100 ? 0 : 1));
  return `${count(rounded)}${space}${byteUnits[unit]}`;
}

/** A number of seconds: `1 h 30 min`. The smallest of three units is left out. */
export function duration(seconds) {
  const total = Number(seconds);
  const parts = [
    [Math.floor(total / 86_400), "d"],
    [Math.floor(total / 3_600) % 24, "h"],
    [Math.floor(total / 60) % 60, "min"],
    [total % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return `0${space}s`;
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${count(value)}${space}${unit}`)
    .join(space);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Returns the date of a time in seconds since 1970; null where a date cannot tell it. */
export function dateOf(seconds) {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** `28 Feb 2024, 06:00`. */
export function time(seconds) {
  const date = dateOf(seconds);
  return date ? `${dayOf(date)}, ${clockOf(date)}` : `${count(seconds)}${space}s from 1970`;
}

/** `2024-02-28T06:00:00Z`, for machines; null where there is none in four digits. */
export function iso(seconds) {
  const date = dateOf(seconds);
  if (!date || date.getUTCFullYear() < 0 || date.getUTCFullYear() > 9999) return null;
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** `28 Feb 2024`. */
export function dayOf(date) {
  return `${dayOfYear(date)}${space}${date.getUTCFullYear()}`;
}

/** `28 Feb`. */
export function dayOfYear(date) {
  return `${date.getUTCDate()}${space}${months[date.getUTCMonth()]}`;
}

/** `Feb 2024`. */
export function monthOf(date) {
  return `${months[date.getUTCMonth()]}${space}${date.getUTCFullYear()}`;
}

/** `06:00`. */
export function clockOf(date) {
  return date.toISOString().slice(-13, -8);
}

/** From one time to another, and the day once if it is the same. */
export function period(first, last) {
  const [begin, end] = [dateOf(first), dateOf(last)];
  if (!begin || !end || dayOf(begin) !== dayOf(end)) return `${time(first)} to ${time(last)}`;
  return clockOf(begin) === clockOf(end) ? time(first) : `${dayOf(begin)}, ${clockOf(begin)} to ${clockOf(end)}`;
}
