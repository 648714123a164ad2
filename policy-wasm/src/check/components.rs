//! Strongly connected components of a graph. Source: Tarjan 1972, with a stack of our own.

/// A rule, all rules below a path, or all that a reference may mean.
pub(super) type Vertex = usize;

/// Groups of vertices that lead to each other, those first that others lead to.
/// `edges`: where each vertex leads.
pub(super) fn components(edges: &[Vec<Vertex>]) -> Vec<Vec<Vertex>> {
    let mut search = Search {
        order: vec![None; edges.len()],
        lowest: vec![0; edges.len()],
        is_open: vec![false; edges.len()],
        ..Search::default()
    };
    for start in 0..edges.len() {
        if search.order_of(start).is_none() {
            search.from(start, edges);
        }
    }
    search.components
}

/// The state of Tarjan's search.
#[derive(Default)]
struct Search {
    order: Vec<Option<usize>>,
    lowest: Vec<usize>,
    open: Vec<Vertex>,
    is_open: Vec<bool>,
    next: usize,
    components: Vec<Vec<Vertex>>,
}

impl Search {
    fn order_of(&self, vertex: Vertex) -> Option<usize> {
        self.order.get(vertex).copied().flatten()
    }

    fn from(&mut self, start: Vertex, edges: &[Vec<Vertex>]) {
        let all = |vertex: Vertex| edges.get(vertex).map_or(&[][..], Vec::as_slice).iter();
        self.enter(start);
        let mut calls = vec![(start, all(start))];
        while let Some((vertex, remaining)) = calls.last_mut() {
            let vertex = *vertex;
            if let Some(target) = remaining.next().copied() {
                match self.order_of(target) {
                    None => {
                        self.enter(target);
                        calls.push((target, all(target)));
                    }
                    Some(order) if self.is_open.get(target) == Some(&true) => {
                        self.lower(vertex, order);
                    }
                    Some(_) => {}
                }
            } else {
                calls.pop();
                self.leave(vertex);
                if let Some((parent, _)) = calls.last() {
                    let lowest = self.lowest.get(vertex).copied().unwrap_or_default();
                    self.lower(*parent, lowest);
                }
            }
        }
    }

    fn enter(&mut self, vertex: Vertex) {
        if let (Some(order), Some(lowest), Some(is_open)) = (
            self.order.get_mut(vertex),
            self.lowest.get_mut(vertex),
            self.is_open.get_mut(vertex),
        ) {
            *order = Some(self.next);
            *lowest = self.next;
            *is_open = true;
            self.open.push(vertex);
            self.next = self.next.saturating_add(1);
        }
    }

    fn lower(&mut self, vertex: Vertex, to: usize) {
        if let Some(lowest) = self.lowest.get_mut(vertex) {
            *lowest = (*lowest).min(to);
        }
    }

    fn leave(&mut self, vertex: Vertex) {
        if self.order_of(vertex) != self.lowest.get(vertex).copied() {
            return;
        }
        let mut component = Vec::new();
        while let Some(member) = self.open.pop() {
            if let Some(is_open) = self.is_open.get_mut(member) {
                *is_open = false;
            }
            component.push(member);
            if member == vertex {
                break;
            }
        }
        self.components.push(component);
    }
}
