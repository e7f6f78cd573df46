//! Circles in a graph of files.

use super::house::Arrows;
use std::collections::BTreeSet;

/// The circles: each a largest set of two or more files that all reach one another.
pub fn circles(arrows: &Arrows) -> Vec<BTreeSet<String>> {
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
    let mut circles = BTreeSet::new();
    for (file, from_here) in &reach {
        let back = |(other, from_there): &&(&String, BTreeSet<String>)| {
            from_here.contains(*other) && from_there.contains(*file)
        };
        let circle: BTreeSet<String> =
            reach.iter().filter(back).map(|(other, _)| (*other).clone()).collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

/// The arrows among the files of a circle, one a line, for a message.
pub fn described(circle: &BTreeSet<String>, arrows: &Arrows) -> String {
    let mut text = String::new();
    for (from, targets) in arrows.iter().filter(|(from, _)| circle.contains(*from)) {
        for target in targets.intersection(circle) {
            text += &format!("\n  {from} -> {target}");
        }
    }
    text
}
