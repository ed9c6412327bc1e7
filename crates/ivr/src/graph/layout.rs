//! Places boxes in rows, so that arrows run downwards: rows by the longest way from an entry, order within a
//! row by the neighbours' middle (Sugiyama 1981). Between two rows of boxes lies a row of labels; an arrow
//! over several rows gets a place in each, so that it runs past boxes and not through them.

/// Between two things in a row, in pixels.
const GAP: i32 = 28;
const ROW_GAP: i32 = 26;
const SWEEPS: usize = 12;

#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) width: i32,
    pub(super) height: i32,
}

/// An arrow from box to box, and the size of its label.
pub(super) struct Link {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: Size,
}

pub(super) struct Layout {
    /// The middle of each box.
    pub(super) boxes: Vec<(i32, i32)>,
    pub(super) routes: Vec<Route>,
    pub(super) size: Size,
}

pub(super) struct Route {
    /// From the tail to the head.
    pub(super) points: Vec<(i32, i32)>,
    /// The middle of the label.
    pub(super) label: (i32, i32),
}

/// A box, or the place of an arrow in a row that it passes.
struct Item {
    row: usize,
    width: i32,
    height: i32,
    x: i32,
    above: Vec<usize>,
    below: Vec<usize>,
}

pub(super) fn layout(boxes: &[Size], links: &[Link]) -> Layout {
    let backward = backward(boxes.len(), links);
    let rows = rows(boxes.len(), links, &backward);
    let mut items: Vec<Item> =
        boxes.iter().zip(&rows).map(|(size, row)| item(*row, size.width, size.height)).collect();
    let chains: Vec<Vec<usize>> =
        links.iter().zip(&backward).map(|(link, back)| chain(&mut items, link, *back)).collect();
    let mut order = order(&items);
    for sweep in 0..SWEEPS {
        sort_rows(&mut order, &items, sweep % 2 == 0);
    }
    place(&order, &mut items);
    let (tops, height) = tops(&order, &items);
    let left = items.iter().map(|item| item.x - item.width / 2).min().unwrap_or(0) - GAP;
    for item in &mut items {
        item.x -= left;
    }
    let width = items.iter().map(|item| item.x + item.width / 2).max().unwrap_or(0) + GAP;
    let boxes = items.iter().take(boxes.len()).map(|item| (item.x, middle(&tops, item.row))).collect();
    let routes = links
        .iter()
        .zip(&backward)
        .zip(&chains)
        .map(|((link, back), chain)| route(&items, &tops, link, *back, chain))
        .collect();
    Layout { boxes, routes, size: Size { width, height } }
}

fn item(row: usize, width: i32, height: i32) -> Item {
    Item { row, width, height, x: 0, above: Vec::new(), below: Vec::new() }
}

/// Which links lead back to a box on the way to their own tail: without them nothing goes round.
fn backward(count: usize, links: &[Link]) -> Vec<bool> {
    let mut backward = vec![false; links.len()];
    let mut done = vec![false; count];
    let has_way_in = |id: usize| links.iter().any(|link| link.to == id && link.from != id);
    let (inner, entries): (Vec<usize>, Vec<usize>) = (0..count).partition(|id| has_way_in(*id));
    let ways =
        |id: usize| -> Vec<usize> { (0..links.len()).rev().filter(|link| links[*link].from == id).collect() };
    for start in entries.into_iter().chain(inner) {
        let mut path = if done[start] { Vec::new() } else { vec![(start, ways(start))] };
        while let Some((id, rest)) = path.last_mut() {
            let Some(link) = rest.pop() else {
                done[*id] = true;
                path.pop();
                continue;
            };
            let next = links[link].to;
            if path.iter().any(|(id, _)| *id == next) {
                backward[link] = true;
            } else if !done[next] {
                path.push((next, ways(next)));
            }
        }
    }
    backward
}

/// Even rows are of boxes, odd ones of labels.
fn rows(count: usize, links: &[Link], backward: &[bool]) -> Vec<usize> {
    let mut rows = vec![0; count];
    for _ in 0..count {
        for (link, back) in links.iter().zip(backward) {
            let (up, down) = ends(link, *back);
            if up != down {
                rows[down] = rows[down].max(rows[up] + 2);
            }
        }
    }
    rows
}

/// The upper and the lower end.
fn ends(link: &Link, back: bool) -> (usize, usize) {
    if back { (link.to, link.from) } else { (link.from, link.to) }
}

/// The items that the link passes, downwards. The one next to its tail holds the label.
fn chain(items: &mut Vec<Item>, link: &Link, back: bool) -> Vec<usize> {
    let (up, down) = ends(link, back);
    let (first, last) = (items[up].row + 1, items[down].row);
    let mut chain = Vec::new();
    let mut previous = up;
    for row in first..last {
        let labelled = row == if back { last - 1 } else { first };
        let (width, height) = if labelled { (link.label.width, link.label.height) } else { (4, 0) };
        let id = items.len();
        items.push(item(row, width, height));
        connect(items, previous, id);
        chain.push(id);
        previous = id;
    }
    if up != down {
        connect(items, previous, down);
    }
    chain
}

fn connect(items: &mut [Item], up: usize, down: usize) {
    items[up].below.push(down);
    items[down].above.push(up);
}

/// The items of each row, those first that a walk downwards meets first.
fn order(items: &[Item]) -> Vec<Vec<usize>> {
    let count = items.iter().map(|item| item.row + 1).max().unwrap_or(0);
    let mut order = vec![Vec::new(); count];
    let mut seen = vec![false; items.len()];
    let mut open: Vec<usize> = (0..items.len()).rev().filter(|id| items[*id].above.is_empty()).collect();
    while let Some(id) = open.pop() {
        if !std::mem::replace(&mut seen[id], true) {
            order[items[id].row].push(id);
            open.extend(items[id].below.iter().rev());
        }
    }
    order
}

fn sort_rows(order: &mut [Vec<usize>], items: &[Item], downwards: bool) {
    let count = order.len();
    for step in 1..count {
        let (row, other) = if downwards { (step, step - 1) } else { (count - 1 - step, count - step) };
        let mut places = vec![0i64; items.len()];
        for (place, id) in order[other].iter().enumerate() {
            places[*id] = place as i64;
        }
        let key = |(place, id): (usize, &usize)| {
            let near = if downwards { &items[*id].above } else { &items[*id].below };
            let sum: i64 = near.iter().map(|id| places[*id]).sum();
            let middle = if near.is_empty() { place as i64 * 1000 } else { sum * 1000 / near.len() as i64 };
            (middle, place, *id)
        };
        let mut keyed: Vec<_> = order[row].iter().enumerate().map(key).collect();
        keyed.sort_unstable();
        order[row] = keyed.into_iter().map(|(_, _, id)| id).collect();
    }
}

/// Moves everything towards the middle of its neighbours, as far as those beside it allow.
fn place(order: &[Vec<usize>], items: &mut [Item]) {
    for row in order {
        let wanted = vec![0; row.len()];
        settle(row, &wanted, items);
    }
    for sweep in 0..2 * SWEEPS {
        let downwards = sweep % 2 == 0;
        let rows: Vec<&Vec<usize>> =
            if downwards { order.iter().collect() } else { order.iter().rev().collect() };
        for row in rows {
            let wanted: Vec<i32> = row.iter().map(|id| wanted(items, *id, downwards)).collect();
            settle(row, &wanted, items);
        }
    }
}

fn wanted(items: &[Item], id: usize, downwards: bool) -> i32 {
    let item = &items[id];
    let near = match downwards {
        true if !item.above.is_empty() => &item.above,
        false if !item.below.is_empty() => &item.below,
        _ => return item.x,
    };
    let mut places: Vec<i32> = near.iter().map(|id| items[*id].x).collect();
    places.sort_unstable();
    (places[(places.len() - 1) / 2] + places[places.len() / 2]) / 2
}

/// Keeps the order and the gaps: the mean of pushing all to the right and all to the left.
fn settle(row: &[usize], wanted: &[i32], items: &mut [Item]) {
    let apart = |one: usize, other: usize, items: &[Item]| (items[one].width + items[other].width) / 2 + GAP;
    let mut right = wanted.to_vec();
    for at in 1..row.len() {
        right[at] = right[at].max(right[at - 1] + apart(row[at - 1], row[at], items));
    }
    let mut left = wanted.to_vec();
    for at in (1..row.len()).rev() {
        left[at - 1] = left[at - 1].min(left[at] - apart(row[at - 1], row[at], items));
    }
    for (at, id) in row.iter().enumerate() {
        items[*id].x = (right[at] + left[at]) / 2;
    }
}

/// Top and height of each row, and the height of all.
fn tops(order: &[Vec<usize>], items: &[Item]) -> (Vec<(i32, i32)>, i32) {
    let mut top = GAP;
    let mut tops = Vec::new();
    for row in order {
        let height = row.iter().map(|id| items[*id].height).max().unwrap_or(0);
        tops.push((top, height));
        top += height + ROW_GAP;
    }
    (tops, top - ROW_GAP + GAP)
}

fn middle(tops: &[(i32, i32)], row: usize) -> i32 {
    tops[row].0 + tops[row].1 / 2
}

fn route(items: &[Item], tops: &[(i32, i32)], link: &Link, back: bool, chain: &[usize]) -> Route {
    let (up, down) = ends(link, back);
    if up == down {
        return around(&items[up], tops);
    }
    let edge = |id: usize, lower: bool| {
        let half = items[id].height / 2;
        middle(tops, items[id].row) + if lower { half } else { -half }
    };
    let next = chain.first().copied().unwrap_or(down);
    let last = chain.last().copied().unwrap_or(up);
    let mut points = vec![(port(items, up, &items[up].below, next), edge(up, true))];
    for id in chain {
        let (top, height) = tops[items[*id].row];
        points.push((items[*id].x, top));
        points.push((items[*id].x, top + height));
    }
    points.push((port(items, down, &items[down].above, last), edge(down, false)));
    let labelled = if back { last } else { next };
    let label = (items[labelled].x, middle(tops, items[labelled].row));
    if back {
        points.reverse();
    }
    Route { points, label }
}

/// Where a line leaves or enters a box: side by side, in the order of what lies at their other ends.
fn port(items: &[Item], id: usize, near: &[usize], other: usize) -> i32 {
    let mut near: Vec<(i32, usize)> = near.iter().map(|id| (items[*id].x, *id)).collect();
    near.sort_unstable();
    let count = near.len() as i32;
    let place = near.iter().position(|(_, near)| *near == other).unwrap_or(0) as i32;
    let step = (items[id].width - 24).max(0) / count.max(1);
    items[id].x + (2 * place + 1 - count) * step.min(40) / 2
}

/// From a box to itself.
fn around(item: &Item, tops: &[(i32, i32)]) -> Route {
    let (right, y) = (item.x + item.width / 2, middle(tops, item.row));
    let points = vec![(right, y - 8), (right + 24, y - 8), (right + 24, y + 8), (right, y + 8)];
    Route { points, label: (right + 24, y) }
}
