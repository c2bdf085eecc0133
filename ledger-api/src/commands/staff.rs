//! `bahi staff`: who audits and who operates, until when.

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, SubsecRound as _, Utc};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets::NOTHING};
use ledger_api::{
    config::Settings,
    people::{Credential, Email, People, Purpose, Status},
    setup::Database,
    staff::{NewAppointment, StaffRole, StaffStore},
};
use ledger_core::clock::{Ids as _, System, Timestamp};

use super::{Verdict, say, work::with_database};

const EXAMPLES: &str = "\
Examples:
  bahi staff appoint usha@example.com --role auditor --until 2027-01-31
  bahi staff appoint omar@example.com --role operator
  bahi staff ls
  bahi staff end usha@example.com --role auditor

Who is appointed has signed up like everybody else, and logs in at /audit/login or /ops/login with
the same password. An appointment ends by itself: after 90 days, unless told otherwise, and never
later than after a year. Each one, and each end, is in the access log.";

/// How long an appointment lasts unless told otherwise.
const DAYS_DEFAULT: u64 = 90;
const DAYS_MAX: u64 = 366;
/// Who acts here.
const BY: &str = "command line";

/// Appoint, list and end auditors and operators
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StaffCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Appoint somebody; a role that they have already gets the new end
    Appoint {
        /// The e-mail address that they signed up with, or the handle
        who: String,
        /// auditor reads everything; operator works the desk; approver is the second person there
        #[arg(long, value_name = "ROLE", required = true)]
        role: Vec<StaffRole>,
        /// The last day; 90 days from today unless told otherwise
        #[arg(long, value_name = "DATE")]
        until: Option<NaiveDate>,
        /// Print a link by which they choose a password, good for ten minutes
        #[arg(long)]
        password_link: bool,
    },
    /// List all appointments, ended ones too
    Ls,
    /// End what somebody was appointed to
    End {
        /// The e-mail address or the handle
        who: String,
        /// Only this role
        #[arg(long, value_name = "ROLE")]
        role: Option<StaffRole>,
    },
}

impl StaffCommand {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<Verdict> {
        with_database(&settings, async |database| {
            let desk = Desk::open(database, &settings).await?;
            match self.command {
                Command::Appoint { who, role, until, password_link } => {
                    desk.appoint(&who, &role, until, password_link).await
                }
                Command::Ls => desk.list().await,
                Command::End { who, role } => desk.end(&who, role).await,
            }
        })
        .await
    }
}

struct Desk {
    staff: StaffStore,
    people: People,
    now: Timestamp,
}

impl Desk {
    async fn open(database: &Database, settings: &Settings) -> anyhow::Result<Self> {
        let secret = database.secret(settings).await?;
        let pool = database.pool(database.app().clone());
        // As exact as the database keeps it.
        let now = Utc::now().trunc_subsecs(6);
        let people = People::new(pool.clone(), secret.bytes());
        Ok(Self { staff: StaffStore::new(pool), people, now })
    }

    async fn find(&self, who: &str) -> anyhow::Result<Credential> {
        let found = self.people.credential(&who.trim().to_lowercase()).await;
        let found = found.context("the people can't be asked for")?;
        let found = found.filter(|found| found.status == Status::Active);
        found.with_context(|| format!("nobody signed up as {who}: let them do that first"))
    }

    async fn appoint(
        &self,
        who: &str,
        roles: &[StaffRole],
        until: Option<NaiveDate>,
        password_link: bool,
    ) -> anyhow::Result<Verdict> {
        let until = end(self.now, until)?;
        let found = self.find(who).await?;
        if found.password.is_none() && !password_link {
            bail!("{who} has no password, and staff log in by password: say --password-link");
        }
        for role in roles {
            let new = NewAppointment {
                id: System.fresh(),
                person: found.id,
                role: *role,
                by: BY,
                at: self.now,
                until,
            };
            self.staff.appoint(&new).await.context("nobody was appointed")?;
            say::line(format_args!("{who} is {role} until {}", until.format("%Y-%m-%d %H:%MZ")));
        }
        if password_link {
            let target = self.target(who, &found).await?;
            let issued = self.people.issue(found.id, Purpose::Reset, &target, self.now).await?;
            say::line(format_args!("/reset?token={}", issued.link.reveal()));
        }
        Ok(Verdict::Yes)
    }

    /// What a link for a password is bound to: the address that they have.
    async fn target(&self, who: &str, found: &Credential) -> anyhow::Result<[u8; 32]> {
        let person =
            self.people.by_id(found.id).await?.with_context(|| format!("{who} is gone"))?;
        let email: &Email = &person.email;
        Ok(self.people.key().email(email))
    }

    async fn list(&self) -> anyhow::Result<Verdict> {
        let all = self.staff.list().await.context("the staff can't be listed")?;
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(["PERSON", "ROLE", "BY", "FROM", "UNTIL", "STATE"]);
        let when = |moment: Timestamp| moment.format("%Y-%m-%d %H:%MZ").to_string();
        for one in &all {
            let state = match &one.ended {
                Some((by, at)) => format!("ended {} by {by}", when(*at)),
                None if one.is_in_force(self.now) => "in force".to_owned(),
                None => "over".to_owned(),
            };
            let (role, by) = (one.role.to_string(), one.by.clone());
            table.add_row([one.person.to_string(), role, by, when(one.at), when(one.until), state]);
        }
        say::line(table.trim_fmt());
        Ok(Verdict::Yes)
    }

    async fn end(&self, who: &str, role: Option<StaffRole>) -> anyhow::Result<Verdict> {
        let found = self.find(who).await?;
        let ended = self.staff.end(found.id, role, BY, self.now).await;
        let ended = ended.context("no appointment was ended")?;
        for role in &ended {
            say::line(format_args!("{who} is {role} no more"));
        }
        if ended.is_empty() {
            say::remark(format_args!("{who} was not appointed to that"));
            return Ok(Verdict::No);
        }
        Ok(Verdict::Yes)
    }
}

/// When an appointment ends: at the end of its last day.
fn end(now: Timestamp, last_day: Option<NaiveDate>) -> anyhow::Result<DateTime<Utc>> {
    let today = now.date_naive();
    let day = |days| today.checked_add_days(Days::new(days)).context("the calendar ends there");
    let last = match last_day {
        Some(last) => last,
        None => day(DAYS_DEFAULT)?,
    };
    ensure!(last >= today, "{last} is over");
    ensure!(last <= day(DAYS_MAX)?, "nobody is appointed for longer than a year");
    let after = last.succ_opt().context("the calendar ends there")?;
    Ok(after.and_time(NaiveTime::MIN).and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appointment_ends_with_its_last_day_and_within_a_year() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let ends = |day: &str| end(now, Some(day.parse().unwrap())).map(|end| end.to_rfc3339());
        assert_eq!(ends("2026-11-22").unwrap(), "2026-11-23T00:00:00+00:00");
        assert!(ends("2026-11-21").is_err() && ends("2027-11-25").is_err());
        assert_eq!(end(now, None).unwrap().to_rfc3339(), "2027-02-21T00:00:00+00:00");
    }
}
