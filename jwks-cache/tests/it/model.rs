//! Random histories against what must hold in all of them (T12, T14).

use jwks_cache::{Absence, KeyCache, Lease, Lookup, Settings};
use proptest::prelude::*;

use crate::keys::{ALG, HOUR, ISSUER, MINUTE, SECOND, T0, set};

const KIDS: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Clone, Copy, Debug)]
enum Step {
    Wait(i64),
    /// Ask for one of the issuer's kids; fetch if invited.
    Ask(&'static str),
    /// Ask for a kid nobody has; fetch if invited.
    AskRandom(u32),
    /// Start a fetch without having asked.
    Begin,
    /// The oldest fetch under way succeeds with these of `KIDS` (a bit each) and max-age.
    Succeed(u8, Option<i64>),
    /// The oldest fetch under way fails.
    Fail,
    /// The oldest fetch under way is never heard of again.
    Lose,
}

/// The default, and what the edge uses.
fn settings() -> impl Strategy<Value = Settings> {
    prop_oneof![Just(Settings::default()), Just(Settings::prompt())]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![
        4 => 0..2 * SECOND,
        4 => 0..2 * MINUTE,
        2 => 0..HOUR,
        1 => 0..30 * HOUR,
    ];
    let step = prop_oneof![
        6 => wait.prop_map(Step::Wait),
        6 => prop::sample::select(&KIDS[..]).prop_map(Step::Ask),
        6 => any::<u32>().prop_map(Step::AskRandom),
        2 => Just(Step::Begin),
        4 => (any::<u8>(), prop::option::of(0..7_200_i64)).prop_map(|(kids, age)| Step::Succeed(kids, age)),
        2 => Just(Step::Fail),
        1 => Just(Step::Lose),
    ];
    prop::collection::vec(step, 1..200)
}

/// What is known from outside: what was fetched and when.
struct World {
    cache: KeyCache,
    settings: Settings,
    now_ms: i64,
    under_way: Vec<(Lease, i64)>,
    starts_ms: Vec<i64>,
    /// The newest set taken in: when its fetch began, its freshness, its kids.
    held: Option<(i64, i64, Vec<&'static str>)>,
    /// When the last fetch to end in this way ended in failure, if nothing succeeded since.
    failed_ms: Option<i64>,
}

impl World {
    fn new(settings: Settings) -> Self {
        Self {
            cache: KeyCache::new(settings, [ISSUER]),
            settings,
            now_ms: T0,
            under_way: Vec::new(),
            starts_ms: Vec::new(),
            held: None,
            failed_ms: None,
        }
    }

    fn is_fresh(&self) -> bool {
        self.held
            .as_ref()
            .is_some_and(|(at, max_age, _)| self.now_ms < at + max_age)
    }

    fn holds(&self, kid: &str) -> bool {
        self.held.as_ref().is_some_and(|(at, _, kids)| {
            self.now_ms < at + self.settings.hard_max_age_ms && kids.contains(&kid)
        })
    }

    fn run(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Wait(millis) => self.now_ms += millis,
            Step::Ask(kid) => self.ask(kid)?,
            Step::AskRandom(number) => self.ask(&format!("random-{number}"))?,
            Step::Begin => self.begin()?,
            Step::Succeed(bits, max_age_s) => self.succeed(bits, max_age_s),
            Step::Fail => self.fail(),
            Step::Lose => {
                if !self.under_way.is_empty() {
                    drop(self.under_way.remove(0));
                }
            }
        }
        Ok(())
    }

    fn ask(&mut self, kid: &str) -> Result<(), TestCaseError> {
        let fetch = match self.cache.lookup(ISSUER, kid, ALG, self.now_ms) {
            Lookup::Fresh(key) => {
                prop_assert_eq!(key.kid.as_deref(), Some(kid));
                prop_assert!(self.holds(kid) && self.is_fresh());
                false
            }
            Lookup::Stale(key) => {
                prop_assert_eq!(key.kid.as_deref(), Some(kid));
                prop_assert!(self.holds(kid) && !self.is_fresh());
                true
            }
            Lookup::Missing {
                fetch,
                retry_at_ms,
                why,
            } => {
                prop_assert_ne!(why, Absence::UnknownIssuer);
                // No sequence of key ids makes a good key disappear.
                prop_assert!(!(self.holds(kid) && self.is_fresh()), "{} was good", kid);
                prop_assert_eq!(why == Absence::Expired, self.holds(kid));
                prop_assert_eq!(fetch, retry_at_ms <= self.now_ms);
                prop_assert!(fetch || self.is_held_back(why), "{} could be fetched", kid);
                fetch
            }
        };
        prop_assert!(self.cache.unknown_kids(ISSUER) <= self.settings.unknown_kids);
        if fetch { self.begin() } else { Ok(()) }
    }

    /// Whether something stands in the way of a fetch: the set is fresh, one runs or failed lately,
    /// or the last one is too recent for an unknown key id. What was asked before never does (T15).
    fn is_held_back(&self, why: Absence) -> bool {
        let since_ms = |moment: i64| self.now_ms - moment;
        let started_ms = self.starts_ms.last().copied().map(since_ms);
        let failed_ms = self.failed_ms.map(since_ms);
        self.is_fresh()
            || started_ms.is_some_and(|ms| ms < self.settings.lease_ms)
            || failed_ms.is_some_and(|ms| ms < self.settings.last_backoff_ms)
            || why == Absence::UnknownKid
                && started_ms.is_some_and(|ms| ms < self.settings.unknown_kid_cooldown_ms)
    }

    /// Takes a lease if there is one, and checks that there may be.
    fn begin(&mut self) -> Result<(), TestCaseError> {
        let Some(lease) = self.cache.begin_refresh(ISSUER, self.now_ms) else {
            return Ok(());
        };
        let last_ms = self.starts_ms.last().copied();
        let since_ms = last_ms.map_or(i64::MAX, |last| self.now_ms - last);
        // Whatever the reason, somebody else's fetch is given its time.
        let running = self
            .under_way
            .iter()
            .any(|(_, at)| self.now_ms < at + self.settings.lease_ms);
        prop_assert!(!running, "two fetches at once");
        // While the set is fresh only unknown key ids can be the reason: one per cooldown.
        if self.is_fresh() {
            prop_assert!(
                since_ms >= self.settings.unknown_kid_cooldown_ms,
                "{} ms",
                since_ms
            );
        }
        // After a failure, at least the first pause.
        if let Some(failed_ms) = self.failed_ms {
            prop_assert!(self.now_ms - failed_ms >= self.settings.first_backoff_ms);
        }
        self.starts_ms.push(self.now_ms);
        self.under_way.push((lease, self.now_ms));
        Ok(())
    }

    fn succeed(&mut self, bits: u8, max_age_s: Option<i64>) {
        if self.under_way.is_empty() {
            return;
        }
        let (lease, at_ms) = self.under_way.remove(0);
        let kids: Vec<&str> = KIDS
            .into_iter()
            .enumerate()
            .filter(|(i, _)| bits & (1 << i) != 0)
            .map(|(_, kid)| kid)
            .collect();
        self.cache.store(lease, set(&kids), max_age_s);
        if self
            .held
            .as_ref()
            .is_none_or(|(held_at, ..)| *held_at <= at_ms)
        {
            let granted_ms = max_age_s
                .map_or(self.settings.default_max_age_ms, |seconds| seconds * SECOND)
                .clamp(self.settings.min_max_age_ms, self.settings.max_max_age_ms);
            self.held = Some((at_ms, granted_ms, kids));
            self.failed_ms = None;
        }
    }

    fn fail(&mut self) {
        if self.under_way.is_empty() {
            return;
        }
        let (lease, at_ms) = self.under_way.remove(0);
        self.cache.failed(lease, self.now_ms);
        if self.starts_ms.last() == Some(&at_ms) {
            self.failed_ms = Some(self.now_ms);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// T12, T14: see `World` for what is checked at every step.
    #[test]
    fn every_history_keeps_the_rules(settings in settings(), steps in steps()) {
        let mut world = World::new(settings);
        for step in steps {
            world.run(step)?;
        }
    }

    /// T12: a flood of random key ids at any pace, with prompt answers: at most one fetch per
    /// cooldown and one per minute of staleness, and the good key stays good throughout.
    #[test]
    fn a_flood_of_random_kids_is_cheap(
        settings in settings(),
        gaps in prop::collection::vec(0..3 * SECOND, 1..600),
    ) {
        let mut cache = KeyCache::new(settings, [ISSUER]);
        let lease = cache.begin_refresh(ISSUER, T0).unwrap();
        cache.store(lease, set(&["a"]), None);
        let (mut now, mut fetches) = (T0, 0_i64);
        for (i, gap) in gaps.into_iter().enumerate() {
            now += gap;
            if let Lookup::Missing { fetch: true, .. } = cache.lookup(ISSUER, &format!("r{i}"), ALG, now) {
                let lease = cache.begin_refresh(ISSUER, now).unwrap();
                cache.store(lease, set(&["a"]), None);
                fetches += 1;
            }
            prop_assert!(matches!(cache.lookup(ISSUER, "a", ALG, now), Lookup::Fresh(_) | Lookup::Stale(_)));
        }
        prop_assert!(fetches <= (now - T0) / (30 * SECOND), "{} fetches in {} ms", fetches, now - T0);
    }
}
