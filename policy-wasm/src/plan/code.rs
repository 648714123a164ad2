//! What a policy is compiled to: operations on slots, in the order in which they run.
//!
//! Which variables have a value is known for every place, so nothing is unified at run time: a
//! pattern says which parts it binds and which it compares. Every operation keeps its place in the
//! source.

use std::sync::Arc;

use crate::{builtins::Builtin, front::Place, value::Value};

/// Place of a variable in its rule's frame.
pub(crate) type Slot = usize;
/// Index of a rule in [`super::Plan::rules`].
pub(crate) type RuleId = usize;
/// Index of a node in [`super::Plan::nodes`].
pub(crate) type NodeId = usize;

/// A rule: everything that defines one name, or one path.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) kind: RuleKind,
}

/// What a rule's value is.
#[derive(Debug)]
pub(crate) enum RuleKind {
    /// One value.
    Complete(Complete),
    /// One value for the arguments.
    Function(Complete),
    /// A set, an object, or objects in objects.
    Partial(Vec<Member>),
}

/// Definitions that must agree.
#[derive(Debug)]
pub(crate) struct Complete {
    pub(crate) definitions: Vec<Definition>,
    /// Whether all have the same constant value, so that the first that holds decides.
    pub(crate) is_uniform: bool,
    pub(crate) default: Option<Definition>,
}

/// A definition with its `else` branches, of which the first that holds counts.
#[derive(Debug)]
pub(crate) struct Definition {
    /// Index of the module, and the head's place in it.
    pub(crate) module: usize,
    pub(crate) place: Place,
    pub(crate) slots: usize,
    /// Bind the parameters of a function.
    pub(crate) parameters: Vec<Pattern>,
    pub(crate) branches: Vec<Branch>,
}

/// One body and its value.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) body: Vec<Op>,
    pub(crate) value: Expr,
}

/// A definition that adds to a set or an object.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) module: usize,
    pub(crate) place: Place,
    pub(crate) slots: usize,
    pub(crate) all: MemberBody,
    /// The same for one key that is known: it stands in slot 0.
    pub(crate) one: Option<MemberBody>,
    /// What is there whether it adds something or not.
    pub(crate) empty: Option<Empty>,
}

/// A set or an object that exists without members, where a head names its place outright.
#[derive(Debug)]
pub(crate) struct Empty {
    pub(crate) path: Vec<Value>,
    pub(crate) is_set: bool,
}

/// How a definition adds.
#[derive(Debug)]
pub(crate) struct MemberBody {
    pub(crate) body: Vec<Op>,
    /// Keys, from the rule's path on.
    pub(crate) path: Vec<Expr>,
    pub(crate) value: MemberValue,
}

/// What it adds at its path.
#[derive(Debug)]
pub(crate) enum MemberValue {
    /// A member of a set.
    Contains(Expr),
    /// A value.
    Is(Expr),
}

/// One operation. It fails, or those after it run, once or once for each thing it finds.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) place: Place,
    pub(crate) kind: OpKind,
}

/// The kinds of operations.
#[derive(Debug)]
pub(crate) enum OpKind {
    /// Fails where the value is undefined or `false`.
    Test(Expr),
    /// Fails where it is undefined.
    Let(Slot, Expr),
    /// Fails where it is undefined or does not match.
    Match(Pattern, Expr),
    /// Goes through what a reference finds.
    Iterate {
        from: Expr,
        steps: Vec<Step>,
        out: Slot,
    },
    /// Goes through every value in a value, as `[path, value]`.
    Walk(Expr, Slot),
    /// Fails where the body holds.
    Not(Vec<Op>),
    /// Fails where the body fails for one of the values.
    Every {
        domain: Expr,
        key: Option<Slot>,
        value: Slot,
        body: Vec<Op>,
    },
    /// What comes until [`OpKind::Leave`] is evaluated with other values.
    Enter(Vec<With>),
    /// Ends the last [`OpKind::Enter`].
    Leave,
    /// Notes its arguments; each is a set with at most one member.
    Print(Vec<Expr>),
}

/// `with target as value`
#[derive(Debug)]
pub(crate) enum With {
    Input(Vec<Arc<str>>, Expr),
    Data(Vec<Arc<str>>, Expr),
    /// A function, a rule's path or a builtin's name, and what stands for it.
    Call(Callee, Replacement),
}

/// What can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callee {
    Builtin(&'static str),
    Function(RuleId),
}

/// What stands for a function.
#[derive(Debug)]
pub(crate) enum Replacement {
    Value(Expr),
    /// The document of a rule, which is evaluated when the function is called.
    Rule(Vec<Arc<str>>),
    Callee(Target),
}

/// What is called.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Builtin(&'static Builtin),
    Function(RuleId),
}

impl Target {
    pub(crate) const fn callee(self) -> Callee {
        match self {
            Self::Builtin(builtin) => Callee::Builtin(builtin.name),
            Self::Function(rule) => Callee::Function(rule),
        }
    }
}

/// One step of a reference that goes through things.
#[derive(Debug)]
pub(crate) enum Step {
    Key(Expr),
    Each(Pattern),
}

/// What a value must be like.
#[derive(Debug)]
pub(crate) enum Pattern {
    Any,
    Bind(Slot),
    Equal(Expr),
    Array(Vec<Pattern>),
    /// All keys, no others.
    Object(Vec<(Expr, Pattern)>),
}

/// What has a value, or is undefined.
#[derive(Debug)]
pub(crate) enum Expr {
    Const(Value),
    /// A part of the data files. Its keys are the texts of numbers, too.
    Document(Value),
    Slot(Slot),
    Input,
    /// What stands in a value at keys, one in the other.
    At(Box<Expr>, Vec<Expr>),
    /// A rule that nothing replaces.
    Rule(RuleId),
    /// A partial rule, asked for one key.
    Lookup(RuleId, Box<Expr>),
    /// A node of the tree of `data`.
    Data(NodeId),
    Array(Vec<Expr>),
    Set(Vec<Expr>),
    Object(Vec<(Expr, Expr)>),
    Call(Box<Call>),
    Compare(Comparison, Box<(Expr, Expr)>),
    Comprehension(Box<Comprehension>),
}

impl Expr {
    /// The value, if it is one whatever is asked.
    pub(crate) const fn constant(&self) -> Option<&Value> {
        match self {
            Self::Const(value) => Some(value),
            _ => None,
        }
    }

    /// Whether its value is there without being evaluated: a constant, a variable, the input, or what
    /// stands in one of them.
    pub(crate) fn is_known(&self) -> bool {
        match self {
            Self::Const(_) | Self::Document(_) | Self::Slot(_) | Self::Input => true,
            Self::At(head, keys) => head.is_known() && keys.iter().all(Self::is_known),
            _ => false,
        }
    }
}

/// A call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) place: Place,
    pub(crate) target: Target,
    pub(crate) arguments: Vec<Expr>,
    /// Whether some `with` replaces it.
    pub(crate) is_replaced: bool,
}

/// `==`, `!=` and the orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `[value | body]` and the like.
#[derive(Debug)]
pub(crate) struct Comprehension {
    pub(crate) place: Place,
    pub(crate) body: Vec<Op>,
    pub(crate) makes: Makes,
}

/// What a comprehension makes.
#[derive(Debug)]
pub(crate) enum Makes {
    Array(Expr),
    Set(Expr),
    Object(Expr, Expr),
}

/// A node of the tree of `data`, in which rules stand.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) rule: Option<RuleId>,
    /// Sorted by name.
    pub(crate) children: Vec<(Arc<str>, NodeId)>,
    /// What the data files hold at this path.
    pub(crate) base: Option<Value>,
}

impl Node {
    pub(crate) fn child(&self, name: &str) -> Option<NodeId> {
        let index = self
            .children
            .binary_search_by(|(child, _)| child.as_ref().cmp(name));
        let (_, node) = self.children.get(index.ok()?)?;
        Some(*node)
    }
}
