// What to do about a warning, by its code: one short sentence, on this page where possible.

const ADVICE = {
  surface_unlike_ct:
    "Compare the blue outline with the CT in the slices; if they differ, correct the label map, or switch this path off.",
  close_call:
    "Look at the cross-section at the narrowest depth; take a thinner screw or switch it off if the wall is doubtful.",
  tight_corridor: "Choose a smaller diameter, or drag entry and tip to the middle of the pedicle.",
  tight_approach:
    "Move the entry a little, or change an angle, so that drill and sleeve pass the bone beside it.",
  high_foot: "Move the entry to flatter bone, or tell the surgeon to make a flat start first.",
  low_bone_density: "Consider a longer or thicker screw, or augmentation; tell the surgeon.",
  depth_out_of_range: "Change the length until the tip ends inside the front of the body.",
  wall_unclear:
    "Look at the walls in the slices along the screw; what the CT does not show, the grade does not know.",
  off_rod_line: "Move the entry in line with its neighbours, or plan for a bent rod.",
  breach: "Drag the path inwards, choose a smaller diameter, or switch it off.",
  poor_grade: "Drag the path inwards, choose a smaller diameter, or switch it off.",
  in_canal: "Move the path out of the canal: this may never be drilled.",
  canal_breach: "Move the path out of the canal: this may never be drilled.",
  edited_by_hand: "For information; 'Back to the automatic plan' undoes it.",
  cut_off_bone: "Nothing to change here; scan more of the bone if that part is needed.",
  cut_off_vertebra: "Nothing to change here; this level is not planned on.",
  unsure_surface:
    "Compare the blue outline with the CT in the slices; correct the label map where they differ by more than you accept.",
  thick_slices: "Accept it knowingly, or scan again with slices of 1 mm or less.",
  level_count_disagrees:
    "Count the levels yourself in the sagittal slice, from the sacrum and from the ribs, before approving.",
  sacrum_not_counted: "Check the name of the lowest level in the sagittal slice.",
  unanchored_levels: "Name the lowest level when planning: --lowest-level.",
  uneven_levels: "Check in the sagittal slice that each vertebra is outlined on its own.",
  anatomical_axis: "Approve only if angles to the shaft are wanted; else scan hip, knee and ankle.",
  bone_not_planned: "This bone gets no guide; scan more of it if one is wanted.",
  no_cartilage: "Remember the cartilage when you judge resections and the seat of the guide.",
  no_medial_sulcus: "Check rotation against the other axes among the measurements.",
  no_trochlear_groove: "Check rotation against the other axes among the measurements.",
  notching: "Raise the flexion of the femoral cut or choose a smaller component.",
  implausible_hka: "Check the landmarks of hip, knee and ankle in the slices.",
  bent_knee:
    "Angles across the joint are not those of the straight leg; take them from a standing film.",
  no_pins: "Without pins the guide can't be held; look at the bone around it.",
  broken_back_wall: "Watch for cement at the back wall; tell the surgeon.",
  canal_fragment: "Watch for cement at the back wall; tell the surgeon.",
  needle_left_out: "One-sided filling; check that the tip reaches the midline.",
};

/** What to do about a warning; "" where nothing is known of its code. */
export const advice = (code) => ADVICE[code] ?? "";

/** Why a pedicle has no path, where the plan has only a code. */
export function leftOut(item) {
  if (item.code === "switched_off") return "switched off by hand";
  return item.message || item.code.replaceAll("_", " ");
}
