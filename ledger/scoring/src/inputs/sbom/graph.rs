//! The dependency graph of a bill of materials: depth of each component, and loops.

use std::collections::VecDeque;

use crate::inputs::json::DocumentError;
use crate::limits::MAX_DEPENDENCY_EDGES;
use crate::model::{DependencyDepth, JsonPointer};

/// A node of the graph: a place in the caller's own list of referable things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node(pub(super) usize);

/// Edges "depends on", kept in the order they were added.
pub(super) struct Graph {
    edges: Vec<Vec<Node>>,
    count: usize,
}

impl Graph {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            edges: vec![Vec::new(); nodes],
            count: 0,
        }
    }

    /// Adds an edge; `place` is where the document says so, asked for only in an error: pointers of
    /// every edge would cost more than the graph.
    pub(super) fn add(
        &mut self,
        from: Node,
        to: Node,
        place: impl FnOnce() -> JsonPointer,
    ) -> Result<(), DocumentError> {
        if self.count >= MAX_DEPENDENCY_EDGES {
            let reason = format!("more than {MAX_DEPENDENCY_EDGES} dependencies");
            return Err(DocumentError::content(place(), reason));
        }
        self.count += 1;
        if let Some(targets) = self.edges.get_mut(from.0) {
            targets.push(to);
        }
        Ok(())
    }

    /// Shortest distances from `roots`, by breadth-first search.
    pub(super) fn depths(&self, roots: &[Node]) -> Vec<DependencyDepth> {
        let mut depths = vec![DependencyDepth::Unknown; self.edges.len()];
        let mut queue = VecDeque::new();
        for root in roots {
            if let Some(depth) = depths.get_mut(root.0) {
                *depth = DependencyDepth::Steps(0);
                queue.push_back((*root, 0_u32));
            }
        }
        while let Some((node, depth)) = queue.pop_front() {
            let next = depth.saturating_add(1);
            for target in self.targets(node) {
                if let Some(slot @ DependencyDepth::Unknown) = depths.get_mut(target.0) {
                    *slot = DependencyDepth::Steps(next);
                    queue.push_back((*target, next));
                }
            }
        }
        depths
    }

    /// Edges that close a loop, found by depth-first search in node order. Without them the graph
    /// has no loop.
    pub(super) fn closing_edges(&self) -> Vec<(Node, Node)> {
        let mut search = Search {
            state: vec![State::New; self.edges.len()],
            closing: Vec::new(),
        };
        for start in 0..self.edges.len() {
            search.run(self, Node(start));
        }
        search.closing
    }

    fn targets(&self, node: Node) -> &[Node] {
        self.edges.get(node.0).map_or(&[], Vec::as_slice)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    OnPath,
    Done,
}

struct Search {
    state: Vec<State>,
    closing: Vec<(Node, Node)>,
}

impl Search {
    /// Depth-first from `start`, with its own stack: documents choose how deep paths are.
    fn run(&mut self, graph: &Graph, start: Node) {
        if self.state.get(start.0) != Some(&State::New) {
            return;
        }
        let mut path = vec![(start, 0_usize)];
        self.enter(start);
        while let Some((node, next)) = path.last_mut() {
            let (from, target) = (*node, graph.targets(*node).get(*next).copied());
            *next += 1;
            match target {
                None => {
                    if let Some(state) = self.state.get_mut(from.0) {
                        *state = State::Done;
                    }
                    path.pop();
                }
                Some(to) => match self.state.get(to.0) {
                    Some(State::New) => {
                        self.enter(to);
                        path.push((to, 0));
                    }
                    Some(State::OnPath) => self.closing.push((from, to)),
                    _ => {}
                },
            }
        }
    }

    fn enter(&mut self, node: Node) {
        if let Some(state) = self.state.get_mut(node.0) {
            *state = State::OnPath;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(nodes: usize, edges: &[(usize, usize)]) -> Graph {
        let mut graph = Graph::new(nodes);
        for (from, to) in edges {
            graph
                .add(Node(*from), Node(*to), JsonPointer::root)
                .unwrap();
        }
        graph
    }

    #[test]
    fn depth_is_the_shortest_path() {
        use DependencyDepth::{Steps, Unknown};
        let graph = graph(5, &[(0, 1), (1, 2), (2, 3), (0, 3), (3, 1)]);
        assert_eq!(
            graph.depths(&[Node(0)]),
            [Steps(0), Steps(1), Steps(2), Steps(1), Unknown]
        );
        assert_eq!(graph.depths(&[]), [Unknown; 5]);
    }

    #[test]
    fn loops_are_named_by_the_edge_that_closes_them() {
        assert_eq!(graph(3, &[(0, 1), (1, 2), (0, 2)]).closing_edges(), []);
        assert_eq!(
            graph(3, &[(0, 1), (1, 2), (2, 0)]).closing_edges(),
            [(Node(2), Node(0))]
        );
        assert_eq!(graph(1, &[(0, 0)]).closing_edges(), [(Node(0), Node(0))]);
    }

    #[test]
    fn a_path_of_any_length_is_walked() {
        let edges: Vec<_> = (0..200_000).map(|node| (node, node + 1)).collect();
        let graph = graph(200_001, &edges);
        assert_eq!(graph.closing_edges(), []);
        assert_eq!(
            graph.depths(&[Node(0)]).last(),
            Some(&DependencyDepth::Steps(200_000))
        );
    }
}
