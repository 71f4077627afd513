// The order in which pedicles are offered.

/** Places (bone, side), those of the same bone first. */
export function ranked(places, bone) {
  return [...places].sort((a, b) => Number(b[0] === bone) - Number(a[0] === bone));
}
