// Colours of what is drawn; on slices and in 3D the same. Letters and words always say it too.

export const GRADES = { A: "#4cc38a", B: "#e6c229", C: "#f08a24", D: "#e5484d", E: "#e5484d" };
const NO_GRADE = "#7ab8ff";
export const BONE = "#5fd0ff";
export const GUIDE = "#dd9cff";
export const CUT = "#ff8a5c";
export const PLANE = "#c9b06a";
export const INK = "#e8eef4";

export const ofPath = (path) => GRADES[path.grade] ?? NO_GRADE;
