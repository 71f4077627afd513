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
  poor_grade: "Drag the path inwards, choose a smaller diameter, or switch it off.",
  canal_breach: "Move the path out of the canal: this may never be drilled.",
  outside_pedicle: "Drag entry and tip until the axis runs through the middle of the pedicle.",
  front_margin: "Choose a shorter length, or turn the path so that its tip stays behind the front.",
  approach_blocked: "Change an angle or move the entry until instrument and sleeve pass the bone.",
  narrow_pedicle: "Switch it off, unless you accept that the pedicle's wall gives way.",
  paths_meet: "Move or turn one of the two, or switch one off.",
  nerve_root: "Bring the needle to the height of the pedicle.",
  lung_in_the_way: "Turn the needle nearer to the spine until no lung lies between skin and bone.",
  lung_unseen: "Scan again with the whole back in view, or leave this needle out.",
  through_rib: "Expect the rib on the way in; turn the needle if it is to pass beside it.",
  tip_out_of_place: "Drag the tip to the front third, near the midline, if the filling wants it there.",
  axial_angle_out_of_range: "Check that this angle is meant; drill and sleeve follow it.",
  sagittal_angle_out_of_range: "Check that this angle is meant; drill and sleeve follow it.",
  high_entry: "Move the entry towards the feet, away from the joint above.",
  diameter_not_in_set: "Set a diameter of the set, or make sure that this screw can be had.",
  length_not_in_set: "Set a length of the set, or make sure that this screw can be had.",
  edit_lost: "Draw this change again where it is still wanted, then compare it with the history.",
  edited_by_hand: "For information; 'Back to the automatic plan' undoes it.",
  cut_off_bone: "Nothing to change here; scan more of the bone if that part is needed.",
  cut_off_vertebra: "Nothing to change here; this level is not planned on.",
  unsure_surface:
    "Compare the blue outline with the CT in the slices; correct the label map where they differ by more than you accept.",
  metal: "Compare the blue outline with the CT near the metal; leave out what it spoils.",
  open_shell: "Outline this level by a label map (plan with --labels) if it is to be planned on.",
  level_not_planned:
    "Give a pedicle of this level a path by hand, or accept that the level gets none.",
  neighbour_without_surface:
    "Look in the slices whether drill, sleeve and guide keep clear of this neighbour.",
  blocks: "Make sure that every slice was exported; lengths across a gap are not measured.",
  one_block: "Make sure that this block is the part of the scan that is meant.",
  gantry_tilt_unclear: "Compare a known length in the slices before you trust any number.",
  thick_slices: "Accept it knowingly, or scan again with slices of 1 mm or less.",
  level_count_disagrees:
    "Count the levels yourself in the sagittal slice, from the sacrum and from the ribs, before approving.",
  sacrum_not_counted: "Check the name of the lowest level in the sagittal slice.",
  unanchored_levels: "Name the lowest level when planning: --lowest-level.",
  uneven_levels: "Check in the sagittal slice that each vertebra is outlined on its own.",
  anatomical_axis: "Approve only if angles to the shaft are wanted; else scan hip, knee and ankle.",
  pins_wait: "Wait until the pins are placed anew; if this stays, plan the case again.",
  part_uncut: "Cut deeper or turn the cut until both sides lose bone, or be ready to fill the defect.",
  pins_not_parallel: "Take a drawn pin back to the automatic plan, or draw two of one direction.",
  pins_unlike_block: "Take the parallel pins back to the automatic plan: a standard block has to go on.",
  pin_out_of_bone: "Move the pin to thicker bone, or make it shorter.",
  pin_near_cut: "Move the pin away from the cut: the saw must not meet it.",
  pin_near_tendon: "Move the pin to the medial side of the tendon.",
  pin_blocked: "Move or turn the pin until its sleeve stands free of the bone.",
  pins_meet: "Move one of the pins until neither pin nor sleeve touches another.",
  bone_not_planned: "This bone gets no guide; scan more of it if one is wanted.",
  no_cartilage: "Remember the cartilage when you judge resections and the seat of the guide.",
  no_medial_sulcus: "Check rotation against the other axes among the measurements.",
  no_trochlear_groove: "Check rotation against the other axes among the measurements.",
  notching: "Plan again with femur.anterior_mm of 0 or more: the anterior cut is set by it alone.",
  implausible_hka: "Check the landmarks of hip, knee and ankle in the slices.",
  implausible_flexion: "Check hip, knee and ankle in the slices, and that both bones are of one leg.",
  implausible_joint: "Check in the slices that femur and tibia are of one leg and outlined whole.",
  implausible_twist:
    "Check epicondyles and posterior condyles in the slices before you trust the rotation.",
  implausible_size: "Check the cut's height in the slices, and the scan's scale on a known length.",
  no_anterior_cortex: "Scan more of the femur's shaft, or plan size and anterior cut by other means.",
  sides_swapped: "Compare with the patient which leg is which before anything is approved.",
  side_unclear: "Find out which leg this is; scan or label more of it, and plan again.",
  bent_knee:
    "Angles across the joint are not those of the straight leg; take them from a standing film.",
  no_pins: "Without pins the guide can't be held; look at the bone around it.",
  broken_back_wall: "Watch for cement at the back wall; tell the surgeon.",
  canal_fragment: "Watch for cement at the back wall; tell the surgeon.",
  back_wall_unseen: "Judge back wall and canal yourself in the slices before approving.",
  one_sided_infeasible: "Plan this level from both sides, or draw a needle by hand.",
  level_without_needle: "Give a pedicle of this level a needle by hand, or leave the level out.",
  single_wire: "Hold the template in place; check each needle on fluoroscopy before it enters bone.",
  posture_accepted:
    "Approve only if the skin will lie as in the scan; else plan without the template.",
  posture_contradiction:
    "Find out how the patient lay and compare the sides with another image: it may be mirrored.",
  needle_left_out: "One-sided filling; check that the tip reaches the midline.",
};

/** What to do about a warning; "" where nothing is known of its code. */
export const advice = (code) => ADVICE[code] ?? "";

/** Why a pedicle has no path, where the plan has only a code. */
export function leftOut(item) {
  if (item.code === "switched_off") return "switched off by hand";
  return item.message || item.code.replaceAll("_", " ");
}
