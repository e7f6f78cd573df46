//! Cycles in a graph of files.

use super::graph::Arrows;
use std::collections::BTreeSet;

/// The cycles. Each is a largest set of two or more files of which each reaches all others.
pub fn cycles(arrows: &Arrows) -> Vec<BTreeSet<String>> {
    let reached = |from: &String| {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&String> = arrows.get(from).into_iter().flatten().collect();
        while let Some(file) = open.pop() {
            if reached.insert(file.clone()) {
                open.extend(arrows.get(file).into_iter().flatten());
            }
        }
        reached
    };
    let reach: Vec<(&String, BTreeSet<String>)> =
        arrows.keys().map(|file| (file, reached(file))).collect();
    let mut cycles = BTreeSet::new();
    for (file, from_here) in &reach {
        let back = |(other, from_there): &&(&String, BTreeSet<String>)| {
            from_here.contains(*other) && from_there.contains(*file)
        };
        let cycle: BTreeSet<String> =
            reach.iter().filter(back).map(|(other, _)| (*other).clone()).collect();
        if cycle.len() > 1 {
            cycles.insert(cycle);
        }
    }
    cycles.into_iter().collect()
}

/// The arrows between the files of a cycle, one on each line, for a message.
pub fn described(cycle: &BTreeSet<String>, arrows: &Arrows) -> String {
    let mut text = String::new();
    for (from, targets) in arrows.iter().filter(|(from, _)| cycle.contains(*from)) {
        for target in targets.intersection(cycle) {
            text += &format!("\n  {from} -> {target}");
        }
    }
    text
}
