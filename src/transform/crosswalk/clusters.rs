//! Which rows are one thing: links become clusters, the same ones in whatever order rows come.
//!
//! Rows are numbers here, in the order of members and keys. Ids that are recorded hold clusters together, and only a
//! verdict moves them: rules join rows that have no id yet to others. Nothing here asks a server.

use std::collections::{BTreeMap, BTreeSet};

/// What is known of the rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The id of each row, as a number: the lower, the older.
    pub ids: Vec<Option<u32>>,
    /// When each row got its id, the lower the earlier; empty where that is all one.
    pub ages: Vec<i64>,
    /// Pairs that people call the same.
    pub same: Vec<(usize, usize)>,
    /// Pairs that people call different.
    pub different: Vec<(usize, usize)>,
    /// Pairs that were joined before, in their order.
    pub links: Vec<(usize, usize)>,
    /// For each rule the groups of rows that it takes for one thing, each in order.
    pub rules: Vec<Vec<Vec<usize>>>,
    pub max_cluster: usize,
}

/// What joined two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Because {
    Verdict,
    /// By its place.
    Rule(usize),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Clusters {
    /// The least row of each row's cluster.
    pub anchors: Vec<usize>,
    /// The id of the cluster, where it keeps one, by anchor.
    pub kept: BTreeMap<usize, u32>,
    pub links: Vec<(usize, usize, Because)>,
    /// Clusters that would have had more rows than may be.
    pub too_big: usize,
    /// Pairs that a rule joins and that have two ids: a verdict has to decide.
    pub undecided: usize,
    /// Pairs that verdicts call the same and different.
    pub contradicted: Vec<(usize, usize)>,
}

struct Joining<'k> {
    known: &'k Known,
    parents: Vec<usize>,
    sizes: Vec<usize>,
    /// The id that a cluster has, by its root.
    ids: Vec<Option<u32>>,
    /// Rows that a cluster must not hold, by its root.
    foes: Vec<Vec<usize>>,
}

enum Joined {
    Now,
    Before,
    Refused,
}

impl Joining<'_> {
    fn root(&mut self, row: usize) -> usize {
        let mut root = row;
        while self.parents[root] != root {
            root = self.parents[root];
        }
        let mut at = row;
        while self.parents[at] != root {
            at = std::mem::replace(&mut self.parents[at], root);
        }
        root
    }

    fn are_foes(&mut self, left: usize, right: usize) -> bool {
        let (one, other) = if self.foes[left].len() < self.foes[right].len() { (left, right) } else { (right, left) };
        let foes = self.foes[one].clone();
        foes.into_iter().any(|foe| self.root(foe) == other)
    }

    /// The lesser row stays the root, so that a cluster's root is its least row.
    fn join(&mut self, left: usize, right: usize) -> Joined {
        let (left, right) = (self.root(left), self.root(right));
        if left == right {
            return Joined::Before;
        }
        if self.are_foes(left, right) {
            return Joined::Refused;
        }
        let (root, child) = (left.min(right), left.max(right));
        self.parents[child] = root;
        self.sizes[root] += self.sizes[child];
        self.ids[root] = match (self.ids[root], self.ids[child]) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let foes = std::mem::take(&mut self.foes[child]);
        self.foes[root].extend(foes);
        Joined::Now
    }
}

/// Joins the rows: verdicts first, then what has one id, then the rules in their order.
pub(super) fn clusters(known: &Known) -> Clusters {
    let rows = known.ids.len();
    let mut joining = Joining {
        known,
        parents: (0..rows).collect(),
        sizes: vec![1; rows],
        ids: known.ids.clone(),
        foes: vec![Vec::new(); rows],
    };
    let mut found = Clusters::default();
    for (left, right) in &known.different {
        joining.foes[*left].push(*right);
        joining.foes[*right].push(*left);
    }
    for (left, right) in &known.same {
        match joining.join(*left, *right) {
            Joined::Now => found.links.push((*left, *right, Because::Verdict)),
            Joined::Before => {}
            Joined::Refused => found.contradicted.push((*left, *right)),
        }
    }
    let by_id = by_id(known);
    let disputed = keep_together(&mut joining, &by_id);
    for (place, groups) in known.rules.iter().enumerate() {
        rule(&mut joining, (place, groups), &mut found);
    }
    // What a verdict did not tear away stays with the oldest part.
    for id in &disputed {
        let rows = &by_id[id];
        for row in rows {
            joining.join(rows[0], *row);
        }
    }
    found.anchors = (0..rows).map(|row| joining.root(row)).collect();
    // An id stays with the cluster of its oldest row, and a cluster keeps its oldest id.
    for (id, rows) in &by_id {
        found.kept.entry(found.anchors[rows[0]]).or_insert(*id);
    }
    found
}

/// The rows of each id, the oldest first.
fn by_id(known: &Known) -> BTreeMap<u32, Vec<usize>> {
    let mut by_id: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, id) in known.ids.iter().enumerate() {
        if let Some(id) = id {
            by_id.entry(*id).or_default().push(row);
        }
    }
    for rows in by_id.values_mut() {
        rows.sort_by_key(|row| (known.ages.get(*row).copied(), *row));
    }
    by_id
}

/// Rows of one id stay one; where people call two of them different, only what was linked. Gives the ids of those.
fn keep_together(joining: &mut Joining<'_>, by_id: &BTreeMap<u32, Vec<usize>>) -> Vec<u32> {
    let known = joining.known;
    let torn: BTreeSet<u32> = known
        .different
        .iter()
        .filter_map(|(left, right)| known.ids[*left].filter(|id| Some(*id) == known.ids[*right]))
        .collect();
    let mut disputed = Vec::new();
    for (id, rows) in by_id {
        if torn.contains(id) {
            disputed.push(*id);
            continue;
        }
        let mut whole = true;
        for row in &rows[1..] {
            whole &= !matches!(joining.join(rows[0], *row), Joined::Refused);
        }
        if !whole {
            disputed.push(*id);
        }
    }
    for (left, right) in &known.links {
        if known.ids[*left].is_some_and(|id| torn.contains(&id)) && known.ids[*left] == known.ids[*right] {
            joining.join(*left, *right);
        }
    }
    disputed
}

fn rule(joining: &mut Joining<'_>, (place, groups): (usize, &[Vec<usize>]), found: &mut Clusters) {
    let too_big = too_big(joining, groups);
    found.too_big += too_big.len();
    for group in groups {
        let Some(first) = group.first() else { continue };
        if too_big.contains(&joining.root(*first)) || group.iter().any(|row| too_big.contains(&joining.root(*row))) {
            continue;
        }
        for row in &group[1..] {
            // The first of the group that it may be joined to: a verdict can have torn the group.
            for other in group.iter().take_while(|other| *other != row) {
                let (left, right) = (joining.root(*other), joining.root(*row));
                if left == right {
                    break;
                }
                if let (Some(one), Some(other)) = (joining.ids[left], joining.ids[right])
                    && one != other
                {
                    found.undecided += usize::from(!joining.are_foes(left, right));
                    break;
                }
                match joining.join(*other, *row) {
                    Joined::Now => {
                        found.links.push((*other, *row, Because::Rule(place)));
                        break;
                    }
                    Joined::Before => break,
                    Joined::Refused => {}
                }
            }
        }
    }
}

/// The roots whose clusters would become too big together by this rule; verdicts and recorded ids may make bigger ones.
fn too_big(joining: &mut Joining<'_>, groups: &[Vec<usize>]) -> BTreeSet<usize> {
    let mut trial: BTreeMap<usize, usize> = BTreeMap::new();
    fn top(trial: &BTreeMap<usize, usize>, mut at: usize) -> usize {
        while let Some(next) = trial.get(&at) {
            at = *next;
        }
        at
    }
    let mut touched: BTreeSet<usize> = BTreeSet::new();
    for group in groups {
        for pair in group.windows(2) {
            let (left, right) = (joining.root(pair[0]), joining.root(pair[1]));
            touched.extend([left, right]);
            let (left, right) = (top(&trial, left), top(&trial, right));
            if left != right {
                trial.insert(left.max(right), left.min(right));
            }
        }
    }
    let mut sizes: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for root in &touched {
        let entry = sizes.entry(top(&trial, *root)).or_default();
        entry.0 += joining.sizes[*root];
        entry.1 += 1;
    }
    let is_too_big = |root: &usize| {
        let (rows, parts) = sizes.get(&top(&trial, *root)).copied().unwrap_or_default();
        parts > 1 && rows > joining.known.max_cluster
    };
    touched.iter().copied().filter(is_too_big).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(ids: &[Option<u32>]) -> Known {
        Known { ids: ids.to_vec(), max_cluster: 4, ..Known::default() }
    }

    #[test]
    fn rows_without_an_id_join_those_that_have_one() {
        let rules = vec![vec![vec![0, 2]], vec![vec![1, 2], vec![3, 4]]];
        let found = clusters(&Known { rules, ..known(&[None, None, Some(7), None, None]) });
        assert_eq!(found.anchors, [0, 0, 0, 3, 3]);
        assert_eq!(found.kept, BTreeMap::from([(0, 7)]));
        assert_eq!(found.links.len(), 3);
    }

    #[test]
    fn two_ids_are_joined_by_a_verdict_and_by_no_rule() {
        let rules = vec![vec![vec![0, 1, 2]]];
        let found = clusters(&Known { rules: rules.clone(), ..known(&[Some(2), Some(1), None]) });
        assert_eq!((found.anchors.as_slice(), found.undecided), ([0, 1, 0].as_slice(), 1));
        let found = clusters(&Known { rules, same: vec![(0, 1)], ..known(&[Some(2), Some(1), None]) });
        assert_eq!((found.anchors.as_slice(), found.undecided), ([0, 0, 0].as_slice(), 0));
        assert_eq!(found.kept, BTreeMap::from([(0, 1)]), "the older id is kept");
    }

    #[test]
    fn a_cluster_that_is_too_big_is_not_joined_in_part() {
        let chain = vec![vec![0, 1], vec![1, 2], vec![2, 3], vec![3, 4], vec![5, 6]];
        let found = clusters(&Known { rules: vec![chain], ..known(&[None; 7]) });
        assert_eq!(found.anchors, [0, 1, 2, 3, 4, 5, 5]);
        assert!(found.too_big > 0);
    }

    #[test]
    fn a_split_leaves_the_id_to_the_oldest_part_and_links_decide_who_goes() {
        let links = vec![(0, 1), (2, 3), (1, 2)];
        let of_one = known(&[Some(5), Some(5), Some(5), Some(5), Some(5)]);
        let found = clusters(&Known { links, different: vec![(1, 2)], ..of_one });
        assert_eq!(found.anchors, [0, 0, 2, 2, 0]);
        assert_eq!(found.kept, BTreeMap::from([(0, 5)]));
    }

    #[test]
    fn verdicts_that_contradict_are_told() {
        let verdicts = Known { same: vec![(0, 1), (1, 2)], different: vec![(0, 2)], ..known(&[None; 3]) };
        assert_eq!(clusters(&verdicts).contradicted, [(1, 2)]);
    }
}
