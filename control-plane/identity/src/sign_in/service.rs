//! The verbs: sign up, sign in, change the password, lift a throttle.

mod attempt;
mod line;

use plinto_contract::{
    events::UserUnlocked,
    ids::{OrganizationId, SessionId, UserId},
};
use plinto_directory::users::{self, Email, Name, Status, User, UserError};
use plinto_platform::{
    Platform,
    actor::{Actor, Permission},
    authority::{self, Need, Work},
};
use plinto_tenancy::tenants::{self, SignUpMode, Tenant, TenantsError};

use self::attempt::Attempt;
use super::{
    error::SignInError,
    model::{self, Subject},
    store,
};
use crate::{
    credentials::{
        self, AcceptablePassword, CredentialError, Password, PasswordHash, PasswordMatch,
    },
    sessions::{self, Client, IssuedTokens, NewSession, RevokedReason, SessionError},
};

/// How a password is named among authentication methods. Source: RFC 8176 §2.
const AMR_PASSWORD: &str = "pwd";

/// A person who wants to be a user.
#[derive(Debug)]
pub struct SignUp {
    /// As typed.
    pub email: String,
    /// As typed.
    pub password: Password,
    /// Display name.
    pub name: Option<String>,
    /// The software they use.
    pub client: Option<String>,
}

/// A user who wants in.
#[derive(Debug)]
pub struct SignIn {
    /// As typed.
    pub email: String,
    /// As typed.
    pub password: Password,
    /// The software they use.
    pub client: Option<String>,
    /// The organization to act in.
    pub organization: Option<OrganizationId>,
    /// What the session's access tokens are for. Source: RFC 8707.
    pub resource: Option<String>,
}

/// Somebody who is in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// What their software gets.
    pub tokens: IssuedTokens,
}

/// Makes a user with a password and signs them in: all of it or nothing.
/// Errors: `SignUpClosed`; `EmailTaken`, unacceptable e-mail address, name or password; `Throttled` for an address
/// that keeps asking which accounts exist.
pub async fn sign_up(
    platform: &Platform,
    actor: &Actor,
    input: SignUp,
) -> Result<SignedIn, SignInError> {
    let tenant = tenants::by_id(platform, actor.tenant).await?;
    require_open(&tenant)?;
    let client = client(&tenant, input.client.as_deref())?;
    let email = Email::parse(&input.email).map_err(UserError::Email)?;
    let name = match input.name.as_deref() {
        None => None,
        Some(text) => Some(Name::parse(text).map_err(UserError::Name)?),
    };
    let password = acceptable(input.password, &email, &tenant, "/password")?;
    let attempt = Attempt::on_address(platform, actor).await?;
    let made = match credentials::hash_new(platform, password).await {
        Ok(hash) => make_user(&attempt, (&email, name), &hash, &client).await,
        Err(error) => Err(CredentialError::from(error).into()),
    };
    let (user, opened) = match made {
        Ok(made) => made,
        // The answer that a prober is after: the count stays.
        Err(error @ SignInError::User(UserError::EmailTaken)) => return Err(error),
        Err(error) => return Err(attempt.unjudged(error).await?),
    };
    let tokens = sessions::issue(platform, opened).await?;
    Ok(SignedIn { user, tokens })
}

async fn make_user(
    attempt: &Attempt<'_>,
    (email, name): (&Email, Option<Name>),
    hash: &PasswordHash,
    client: &Client,
) -> Result<(User, sessions::Opened), SignInError> {
    let mut work = authority::begin(attempt.platform, attempt.actor, Need::Open).await?;
    // Again: hashing takes its time, and sign-up may have been closed meanwhile.
    let tenant = tenants::find(&mut work.tx, work.actor.tenant).await?;
    require_open(&tenant.ok_or(TenantsError::NotFound)?)?;
    let user = users::create(&mut work, email, name).await?;
    credentials::first_password(&mut work, user.id, hash).await?;
    let wanted = Wanted {
        client: client.clone(),
        organization: None,
        is_for_management: false,
    };
    let opened = open_session(&mut work, &user, &wanted).await?;
    attempt.right(&mut work).await?;
    work.commit().await?;
    Ok((user, opened))
}

/// Signs a user in.
/// Errors: `InvalidCredentials`, the same for everybody; `Throttled`; `UserDisabled` and
/// `NotAMember` only to somebody who knows the password.
pub async fn sign_in(
    platform: &Platform,
    actor: &Actor,
    input: SignIn,
) -> Result<SignedIn, SignInError> {
    let tenant = tenants::by_id(platform, actor.tenant).await?;
    let client = client(&tenant, input.client.as_deref())?;
    let is_for_management = is_for_management(platform, &tenant, input.resource.as_deref())?;
    // Whatever was typed is counted and answered alike. What is no address is looked for as the
    // address that nobody has: at the same cost, and no odd text reaches the database.
    let address = Email::parse(&input.email).map(|email| email.normalized);
    let typed = address
        .clone()
        .unwrap_or_else(|_| input.email.to_lowercase());
    let attempt = Attempt::on_account(platform, actor, Need::Open, &typed).await?;
    let found = find(platform, actor, &address.unwrap_or_default()).await;
    let (user, stored) = attempt.judged(found).await?;
    let id = user.as_ref().map(|user| user.id);
    let matched = verify(platform, input.password.clone(), stored.clone()).await;
    let matched = attempt.judged(matched).await?;
    let (Some(user), Some(stored), PasswordMatch::Right | PasswordMatch::RightButOutdated) =
        (user, stored, matched)
    else {
        let reason = if id.is_some() {
            "wrong_password"
        } else {
            "unknown_user"
        };
        return attempt.failed(id, reason).await;
    };
    let better = match matched {
        // One that can't be had now is made another time.
        PasswordMatch::RightButOutdated => {
            credentials::hash_again(platform, input.password).await.ok()
        }
        _ => None,
    };
    let verified = Verified {
        user: user.id,
        hash: stored,
        better,
    };
    let wanted = Wanted {
        client,
        organization: input.organization,
        is_for_management,
    };
    let entered = enter(&attempt, &verified, &wanted).await;
    let Some((user, opened)) = attempt.judged(entered).await? else {
        return attempt.failed(id, "password_changed").await;
    };
    let tokens = sessions::issue(platform, opened).await?;
    Ok(SignedIn { user, tokens })
}

/// The user with an address, if there is one, and their password.
async fn find(
    platform: &Platform,
    actor: &Actor,
    address: &str,
) -> Result<(Option<User>, Option<PasswordHash>), SignInError> {
    let mut tx = platform.db.read().await?;
    let user = users::find_by_email(&mut tx, actor.tenant, address).await?;
    let id = user.as_ref().map(|user| user.id);
    let stored = credentials::stored_password(&mut tx, actor.tenant, id).await?;
    Ok((user, stored))
}

async fn verify(
    platform: &Platform,
    password: Password,
    stored: Option<PasswordHash>,
) -> Result<PasswordMatch, SignInError> {
    let matched = credentials::verify(platform, password, stored).await;
    Ok(matched.map_err(CredentialError::from)?)
}

/// What session somebody wants.
struct Wanted {
    client: Client,
    organization: Option<OrganizationId>,
    is_for_management: bool,
}

/// A password that was verified before the transaction began.
struct Verified {
    user: UserId,
    hash: PasswordHash,
    better: Option<PasswordHash>,
}

/// Opens the session of somebody whose password was right; `None` when it has changed since.
async fn enter(
    attempt: &Attempt<'_>,
    verified: &Verified,
    wanted: &Wanted,
) -> Result<Option<(User, sessions::Opened)>, SignInError> {
    let tenant = attempt.actor.tenant;
    let mut work = authority::begin(attempt.platform, attempt.actor, Need::Open).await?;
    let Verified { user, hash, better } = verified;
    if !credentials::confirm(&mut work, *user, hash, better.as_ref()).await? {
        return Ok(None);
    }
    attempt.right(&mut work).await?;
    let user = users::find(&mut work.tx, tenant, *user)
        .await?
        .ok_or(SignInError::InvalidCredentials)?;
    if user.status == Status::Disabled {
        attempt::record_failure(&mut work, Some(user.id), "user_disabled").await?;
        work.commit().await?;
        return Err(SignInError::UserDisabled);
    }
    let opened = match open_session(&mut work, &user, wanted).await {
        // The password was right: that takes the count back, whatever else is wrong. Nothing of the
        // session was written yet.
        Err(SignInError::Session(SessionError::NotAMember)) => {
            attempt::record_failure(&mut work, Some(user.id), "not_a_member").await?;
            work.commit().await?;
            return Err(SessionError::NotAMember.into());
        }
        opened => opened?,
    };
    work.commit().await?;
    Ok(Some((user, opened)))
}

async fn open_session(
    work: &mut Work<'_>,
    user: &User,
    wanted: &Wanted,
) -> Result<sessions::Opened, SignInError> {
    let new = NewSession {
        user,
        organization: wanted.organization,
        client: &wanted.client,
        is_for_management: wanted.is_for_management,
        amr: vec![AMR_PASSWORD.to_owned()],
        authenticated_at: work.platform.clock.now(),
        expires_at: None,
    };
    Ok(sessions::open(work, new).await?)
}

/// A user who wants another password.
#[derive(Debug)]
pub struct ChangePassword {
    /// The one they have.
    pub current: Password,
    /// The one they want.
    pub new: Password,
    /// Whether their other sessions go on; by default they end (S5).
    pub keep_other_sessions: bool,
}

/// Changes the caller's password, which they prove to know (S10).
/// Errors: `InvalidCredentials` for a wrong current password; `Throttled`; an unacceptable new one.
pub async fn change_password(
    platform: &Platform,
    actor: &Actor,
    input: ChangePassword,
) -> Result<(), SignInError> {
    let (id, session) = actor.user()?;
    let user = users::me(platform, actor).await?;
    let email = Email::parse(&user.email).map_err(UserError::Email)?;
    let tenant = tenants::by_id(platform, actor.tenant).await?;
    let new = acceptable(input.new, &email, &tenant, "/new_password")?;
    let attempt = Attempt::on_account(platform, actor, Need::Person, &email.normalized).await?;
    let stored = password_of(platform, actor, id).await;
    let stored = attempt.judged(stored).await?;
    let matched = verify(platform, input.current, stored.clone()).await;
    let matched = attempt.judged(matched).await?;
    let (Some(stored), PasswordMatch::Right | PasswordMatch::RightButOutdated) = (stored, matched)
    else {
        return attempt.failed(Some(id), "wrong_password").await;
    };
    let ends_others = (!input.keep_other_sessions).then_some(session);
    let changed = replace_password(&attempt, (id, &stored), new, ends_others).await;
    if attempt.judged(changed).await? {
        return Ok(());
    }
    attempt.failed(Some(id), "password_changed").await
}

async fn password_of(
    platform: &Platform,
    actor: &Actor,
    id: UserId,
) -> Result<Option<PasswordHash>, SignInError> {
    let mut tx = platform.db.read().await?;
    Ok(credentials::stored_password(&mut tx, actor.tenant, Some(id)).await?)
}

/// Replaces the password that was verified; `false` when it has changed since.
/// `but`: the session that goes on when all others end.
async fn replace_password(
    attempt: &Attempt<'_>,
    (id, verified): (UserId, &PasswordHash),
    new: AcceptablePassword,
    but: Option<SessionId>,
) -> Result<bool, SignInError> {
    let hash = credentials::hash_new(attempt.platform, new).await;
    let hash = hash.map_err(CredentialError::from)?;
    let mut work = authority::begin(attempt.platform, attempt.actor, Need::Person).await?;
    if !credentials::confirm(&mut work, id, verified, None).await? {
        return Ok(false);
    }
    attempt.right(&mut work).await?;
    credentials::change_password(&mut work, id, &hash).await?;
    if let Some(session) = but {
        let reason = RevokedReason::PasswordChanged;
        sessions::revoke_others(&mut work, id, session, reason).await?;
    }
    work.commit().await?;
    Ok(true)
}

/// Lets a user try again whose failures had added up.
pub async fn unlock(platform: &Platform, actor: &Actor, id: UserId) -> Result<User, SignInError> {
    actor.require(Permission::UsersWrite)?;
    let mut work =
        authority::begin(platform, actor, Need::Permission(Permission::UsersWrite)).await?;
    let user = users::find(&mut work.tx, actor.tenant, id)
        .await?
        .ok_or(UserError::NotFound)?;
    let email = Email::parse(&user.email).map_err(UserError::Email)?;
    let account = Subject::account(&email.normalized);
    if store::clear(&mut work.tx, actor.tenant, &account).await? {
        work.record(id, &UserUnlocked {}).await?;
    }
    work.commit().await?;
    Ok(user)
}

/// 90 d without an attempt, and a count is forgotten: the table does not grow with every address
/// that somebody once typed.
const KEPT_S: i64 = 90 * 24 * 60 * 60;

/// Forgets counts that are long over.
pub async fn run_due_work(platform: &Platform) -> Result<(), SignInError> {
    let before = platform.clock.now().plus_seconds(-KEPT_S);
    loop {
        let mut tx = authority::begin_own(platform).await?;
        if !store::purge_some(&mut tx, before).await? {
            return Ok(());
        }
        tx.commit().await?;
    }
}

fn require_open(tenant: &Tenant) -> Result<(), SignInError> {
    match tenant.sign_up {
        SignUpMode::Open => Ok(()),
        SignUpMode::Closed => Err(SignInError::SignUpClosed),
    }
}

/// The client that is named; before the password is looked at, since it has nothing to do with it.
fn client(tenant: &Tenant, text: Option<&str>) -> Result<Client, SignInError> {
    let client = match text {
        None => Client::default(),
        Some(text) => Client::parse(text).ok_or(SignInError::Client)?,
    };
    sessions::require_client(tenant, client.as_str())?;
    Ok(client)
}

/// Errors: `Resource` for what is neither the tenant's own API nor the management API.
fn is_for_management(
    platform: &Platform,
    tenant: &Tenant,
    resource: Option<&str>,
) -> Result<bool, SignInError> {
    let management = platform.config.management_resource();
    match resource {
        Some(resource) if resource == management => Ok(true),
        Some(resource) if resource != tenant.audience => Err(SignInError::Resource {
            own: tenant.audience.clone(),
            management,
        }),
        _ => Ok(false),
    }
}

fn acceptable(
    password: Password,
    email: &Email,
    tenant: &Tenant,
    pointer: &'static str,
) -> Result<AcceptablePassword, CredentialError> {
    let own = tenant
        .slug
        .split('-')
        .chain(tenant.name.split_whitespace())
        .chain(["plinto"]);
    AcceptablePassword::check(password, email.words().chain(own))
        .map_err(|problem| CredentialError::Password { problem, pointer })
}
