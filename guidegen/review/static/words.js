// Names, numbers and sentences as the page writes them.

const DASH = "–";

/** `L3_left` becomes `L3 left`. */
export const plainName = (name) => String(name).replaceAll("_", " ").trim();

export const heading = (name) => {
  const text = plainName(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
};

/** A number with a true minus sign; a dash where there is none. */
export function number(value, digits = 1) {
  if (value === null || value === undefined || !Number.isFinite(value)) return DASH;
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

export const withUnit = (value, unit, digits = 1) =>
  value === null || value === undefined
    ? DASH
    : `${number(value, digits)}${unit === "deg" ? "°" : ` ${unit}`}`;

/** `1 warning`, `2 warnings`. */
export const counted = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

const GRADE_WORDS = {
  A: "fully inside the bone",
  B: "leaves the bone by less than 2 mm",
  C: "leaves the bone by 2 to 4 mm",
  D: "leaves the bone by 4 to 6 mm",
  E: "leaves the bone by 6 mm or more",
};

/** What a grade means; of a path without one, why there is none. */
export function gradeWords(path) {
  if (!path.grade) return path.route ? `no grade: route ${plainName(path.route)}` : "not graded";
  const wall = path.breach_wall ? ` (${path.breach_wall} wall, ${number(path.breach_mm)} mm)` : "";
  return GRADE_WORDS[path.grade] + wall;
}

/** `Ø 5.5 × 40 mm`. */
export const sizeWords = (path) => `Ø ${number(path.diameter_mm)} × ${lengthWords(path)} mm`;

/** A length without decimals only where it has none. */
export function lengthWords({ length_mm: length }) {
  return number(length, Math.abs(length - Math.round(length)) < 0.05 ? 0 : 1);
}

const SHORT = {
  flexion_deg: "flexion",
  frontal_deg: "frontal",
  rotation_deg: "rotation",
  slope_deg: "slope",
  resection_mm: "resection",
};

/** The label of a number where there is little room. */
export const shortLabel = (field) => SHORT[field.name] ?? field.label;

/** A moment as the reader's clock has it. */
export function moment(at) {
  const date = new Date(at);
  return Number.isNaN(date.getTime())
    ? String(at ?? "")
    : date.toLocaleString(undefined, {
        dateStyle: "medium",
        timeStyle: "short",
      });
}

/** Make a sentence of what the server says: capital letter, full stop. */
export function sentence(text) {
  const trimmed = String(text).trim();
  const whole = /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
  return /^[a-z]+[_0-9]/.test(whole) ? whole : whole.charAt(0).toUpperCase() + whole.slice(1);
}
