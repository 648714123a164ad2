//! One attempt, counted before it is judged.

use plinto_contract::{events::SignInFailed, ids::UserId, time::UnixMillis};
use plinto_platform::{
    Platform,
    actor::Actor,
    authority::{self, Need, Work},
    db::DbError,
    http::HasCode,
};

use super::{
    SignInError,
    line::{Lines, Place},
    model::{Kind, Subject, wait_s},
    store,
};

/// An attempt that has been counted as failed.
pub(super) struct Attempt<'a> {
    pub(super) platform: &'a Platform,
    /// Whose it is.
    pub(super) actor: &'a Actor,
    counted: Vec<Counted>,
    /// Given up with the attempt.
    _places: Vec<Place>,
}

struct Counted {
    subject: Subject,
    /// Until when this attempt keeps out the next.
    until: UnixMillis,
}

/// What became of counting.
enum Counting {
    Counted(Vec<Counted>),
    /// No attempt on the subject is allowed now.
    Full {
        subject: usize,
        until: UnixMillis,
    },
}

impl<'a> Attempt<'a> {
    /// Counts an attempt on an account and on the actor's network address.
    /// Errors: as for [`begin`](Self::begin).
    pub(super) async fn on_account(
        platform: &'a Platform,
        actor: &'a Actor,
        need: Need,
        email_normalized: &str,
    ) -> Result<Self, SignInError> {
        // In this order everywhere, so that no two wait for each other's rows.
        let account = Subject::account(email_normalized);
        let subjects = [account].into_iter().chain(Subject::address(actor.ip));
        Self::begin(platform, actor, need, subjects.collect()).await
    }

    /// Counts an attempt on the actor's network address.
    /// Errors: as for [`begin`](Self::begin).
    pub(super) async fn on_address(
        platform: &'a Platform,
        actor: &'a Actor,
    ) -> Result<Self, SignInError> {
        let subjects = Subject::address(actor.ip).into_iter().collect();
        Self::begin(platform, actor, Need::Open, subjects).await
    }

    /// `need`: what the verb asks of its actor.
    /// Errors: `Throttled` when none is allowed now, however those turn out that are being judged.
    async fn begin(
        platform: &'a Platform,
        actor: &'a Actor,
        need: Need,
        subjects: Vec<Subject>,
    ) -> Result<Self, SignInError> {
        let lines: Vec<_> = subjects
            .iter()
            .map(|subject| platform.state::<Lines>().line(actor.tenant, subject))
            .collect();
        let mut turn = None;
        loop {
            let seen: Vec<u64> = lines.iter().map(|line| line.judged()).collect();
            let now = platform.clock.now();
            let mut places: Vec<Place> = lines.iter().map(|line| line.enter(now)).collect();
            let (subject, until) = match count(platform, actor, need.clone(), &subjects).await? {
                Counting::Counted(counted) => {
                    places.iter_mut().for_each(Place::counted);
                    return Ok(Self {
                        platform,
                        actor,
                        counted,
                        _places: places,
                    });
                }
                Counting::Full { subject, until } => (subject, until),
            };
            drop(places);
            let (Some(line), Some(seen)) = (lines.get(subject), seen.get(subject)) else {
                return Err(throttled(platform, until));
            };
            line.full(*seen, until);
            // One turn at a time: who waits in one line keeps nobody waiting in another.
            if turn.as_ref().is_none_or(|(of, _)| *of != subject) {
                drop(turn.take());
                turn = Some((subject, line.turn().await));
            }
            let moved_on = match &turn {
                Some((_, turn)) => turn.moved_on().await,
                None => false,
            };
            if !moved_on {
                return Err(throttled(platform, until));
            }
        }
    }

    /// It was right: forgets the account's failures, and takes the address's count back.
    pub(super) async fn right(&self, work: &mut Work<'_>) -> Result<(), DbError> {
        for counted in &self.counted {
            match counted.subject.kind {
                Kind::Account => {
                    store::clear(&mut work.tx, work.actor.tenant, &counted.subject).await?;
                }
                Kind::Address => counted.uncount(work).await?,
            }
        }
        Ok(())
    }

    /// It was wrong: the count stays. Says what happened.
    pub(super) async fn failed<T>(
        &self,
        user: Option<UserId>,
        reason: &'static str,
    ) -> Result<T, SignInError> {
        let mut work = authority::begin(self.platform, self.actor, Need::Open).await?;
        record_failure(&mut work, user, reason).await?;
        work.commit().await?;
        Err(SignInError::InvalidCredentials)
    }

    /// What became of judging it. An error that is ours judges nothing, and takes the counts back.
    pub(super) async fn judged<T>(
        &self,
        outcome: Result<T, SignInError>,
    ) -> Result<T, SignInError> {
        match outcome {
            Err(error) if error.code().status() >= 500 => Err(self.unjudged(error).await?),
            outcome => outcome,
        }
    }

    /// Nobody could judge it, for the reason given: takes its counts back.
    pub(super) async fn unjudged(&self, reason: SignInError) -> Result<SignInError, SignInError> {
        let mut work = authority::begin(self.platform, self.actor, Need::Open).await?;
        for counted in &self.counted {
            counted.uncount(&mut work).await?;
        }
        work.commit().await?;
        Ok(reason)
    }
}

impl Counted {
    async fn uncount(&self, work: &mut Work<'_>) -> Result<(), DbError> {
        store::refund(&mut work.tx, work.actor.tenant, &self.subject, self.until).await
    }
}

async fn count(
    platform: &Platform,
    actor: &Actor,
    need: Need,
    subjects: &[Subject],
) -> Result<Counting, SignInError> {
    let now = platform.clock.now();
    let mut work = authority::begin(platform, actor, need).await?;
    let mut counted = Vec::with_capacity(subjects.len());
    for (at, subject) in subjects.iter().enumerate() {
        let Some(failures) = store::count(&mut work.tx, actor.tenant, subject, now).await? else {
            let until = store::blocked_until(&mut work.tx, actor.tenant, subject).await?;
            return Ok(Counting::Full { subject: at, until });
        };
        let until = subject.kind.next_attempt(failures, now);
        if until > now {
            store::block(&mut work.tx, actor.tenant, subject, until).await?;
        }
        let subject = subject.clone();
        counted.push(Counted { subject, until });
    }
    work.commit().await?;
    Ok(Counting::Counted(counted))
}

fn throttled(platform: &Platform, until: UnixMillis) -> SignInError {
    SignInError::Throttled {
        retry_after_s: wait_s(until, platform.clock.now()),
    }
}

/// Says that a sign-in failed. `user`: whose, if they exist.
pub(super) async fn record_failure(
    work: &mut Work<'_>,
    user: Option<UserId>,
    reason: &'static str,
) -> Result<(), DbError> {
    let target = user.map_or_else(|| "unknown".to_owned(), |user| user.to_string());
    let reason = reason.to_owned();
    work.record(target, &SignInFailed { reason }).await
}
