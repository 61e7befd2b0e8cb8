use super::*;

fn node(number: u8) -> NodeId {
    [number.wrapping_mul(41).wrapping_add(7); 16]
}

/// Of all these nodes, the one that a book is for: all of them must agree.
fn holder(nodes: &[NodeId], book: BookNumber) -> NodeId {
    let others = |me: &NodeId| nodes.iter().filter(|it| *it != me).copied().collect::<Vec<_>>();
    let firsts: Vec<_> = nodes.iter().filter(|me| rank(me, &others(me), book) == 0).collect();
    assert_eq!(firsts.len(), 1, "one and no other");
    for me in nodes {
        let others = others(me);
        assert_eq!(first_before(me, &others, book).unwrap_or(me), firsts[0]);
    }
    *firsts[0]
}

#[test]
fn a_node_that_comes_or_goes_moves_its_own_books_only() {
    for count in 2..12 {
        let nodes: Vec<NodeId> = (0..count).map(node).collect();
        let fewer = &nodes[1..];
        let mut moved = 0;
        for book in BookNumber::all(16) {
            let (before, after) = (holder(&nodes, book), holder(fewer, book));
            assert!(before == after || before == nodes[0]);
            moved += u32::from(before != after);
        }
        assert!(moved < 16, "the others keep theirs");
    }
}

#[test]
fn books_are_spread() {
    let nodes = [node(1), node(2), node(3)];
    let mut held = [0; 3];
    for round in 0..250u8 {
        let nodes = nodes.map(|mut node| {
            node[3] = round;
            node
        });
        for book in BookNumber::all(8) {
            let holder = holder(&nodes, book);
            held[nodes.iter().position(|node| *node == holder).unwrap()] += 1;
        }
    }
    assert!(held.iter().all(|count| (560..770).contains(count)), "{held:?}");
}
