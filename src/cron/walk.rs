//! The search for the next civil time that matches: month by month, then day
//! by day, hour by hour, minute by minute.

use super::parse::Fields;
use super::{Next, after_whole_second};
use crate::time::Instant;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// How many years the search goes on for.
const YEARS: i16 = 5;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

/// Units of time, the coarsest first: the order in which they are searched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unit {
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// Where the search is.
struct Walk<'a> {
    zone: &'a TimeZone,
    /// Seconds since 1970.
    at: i64,
    /// The same in the zone.
    civil: DateTime,
    /// Whether a step has been taken. The first step goes on from the
    /// beginning of its unit; later ones are at the beginning already, or
    /// where a change of the clock has put them.
    moved: bool,
}

/// Why a step could not be taken.
enum Halt {
    /// It led to where it began.
    Stuck,
    /// It left the years that can be written.
    OutOfRange,
}

/// The first time after a moment that matches.
pub(super) fn next(fields: &Fields, zone: &TimeZone, after: Instant) -> Next {
    match search(fields, zone, after) {
        Ok(Some(second)) => after_whole_second(Instant(0), second).map_or(Next::Never, Next::At),
        Ok(None) | Err(Halt::OutOfRange) => Next::Never,
        Err(Halt::Stuck) => Next::Stuck,
    }
}

fn search(fields: &Fields, zone: &TimeZone, after: Instant) -> Result<Option<i64>, Halt> {
    let mut walk = Walk { zone, at: 0, civil: DateTime::ZERO, moved: false };
    walk.go_to(after.truncate().0 + 1)?;
    let last_year = walk.civil.year().saturating_add(YEARS);
    while walk.civil.year() <= last_year {
        if walk.pass(fields)? {
            return Ok(Some(walk.at));
        }
    }
    Ok(None)
}

impl Walk<'_> {
    /// Searches from the coarsest unit to the finest. False if a step began a
    /// new unit of the next coarser kind, so that everything is to be looked
    /// at again.
    fn pass(&mut self, fields: &Fields) -> Result<bool, Halt> {
        for unit in [Unit::Month, Unit::Day, Unit::Hour, Unit::Minute, Unit::Second] {
            while !self.matches(unit, fields) {
                self.step(unit, fields)?;
                if self.is_first(unit) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn matches(&self, unit: Unit, fields: &Fields) -> bool {
        let civil = self.civil;
        match unit {
            Unit::Month => fields.has_month(civil.month()),
            Unit::Day => fields.has_day(civil.day(), civil.weekday().to_sunday_zero_offset()),
            Unit::Hour => fields.has_hour(civil.hour()),
            Unit::Minute => fields.has_minute(civil.minute()),
            Unit::Second => civil.second() == 0,
        }
    }

    /// Whether this is the first such unit within the next coarser one.
    fn is_first(&self, unit: Unit) -> bool {
        match unit {
            Unit::Month => self.civil.month() == 1,
            Unit::Day => self.civil.day() == 1,
            Unit::Hour => self.civil.hour() == 0,
            Unit::Minute => self.civil.minute() == 0,
            Unit::Second => self.civil.second() == 0,
        }
    }

    /// Goes on by one unit, by the calendar for months and days and by the
    /// clock for the rest: that is why an hour that is repeated is met twice
    /// and one that is skipped never.
    fn step(&mut self, unit: Unit, fields: &Fields) -> Result<(), Halt> {
        if !self.moved {
            self.moved = true;
            self.go_to_beginning(unit)?;
        }
        let before = self.at;
        let civil = self.civil;
        match unit {
            Unit::Month => {
                let first = civil.date().first_of_month();
                let month = first.checked_add(1.month()).map_err(|_| Halt::OutOfRange)?;
                self.go_to_date(month, civil.day(), civil)?;
            }
            Unit::Day => {
                self.go_to_date(civil.date().first_of_month(), civil.day() + 1, civil)?;
                self.return_to_midnight()?;
            }
            Unit::Hour => self.go_to(before + HOUR)?,
            Unit::Minute => {
                let next = (civil.minute() + 1..60).find(|&minute| fields.has_minute(minute)).unwrap_or(60);
                self.leap(MINUTE, i64::from(next - civil.minute()))?;
            }
            Unit::Second => self.leap(1, i64::from(60 - civil.second()))?,
        }
        if self.at > before { Ok(()) } else { Err(Halt::Stuck) }
    }

    /// Takes several steps at once, where the clocks do not change meanwhile:
    /// what lies between is then known not to match.
    fn leap(&mut self, step: i64, times: i64) -> Result<(), Halt> {
        let (from, to) = (self.at, self.at + step * times);
        let steady = self.offset(from)? == self.offset(to)?;
        self.go_to(if steady { to } else { from + step })
    }

    fn go_to_beginning(&mut self, unit: Unit) -> Result<(), Halt> {
        let civil = self.civil;
        let date = civil.date();
        match unit {
            Unit::Month => self.go_to_civil(date.first_of_month().at(0, 0, 0, 0)),
            Unit::Day => self.go_to_civil(date.at(0, 0, 0, 0)),
            Unit::Hour => self.go_to_civil(date.at(civil.hour(), 0, 0, 0)),
            Unit::Minute => self.go_to(self.at - self.at.rem_euclid(MINUTE)),
            Unit::Second => Ok(()),
        }
    }

    /// A day that begins or ends its summer time at midnight may leave the
    /// walk an hour off; it is brought back, if only nearly.
    fn return_to_midnight(&mut self) -> Result<(), Halt> {
        let hour = i64::from(self.civil.hour());
        match hour {
            0 => Ok(()),
            1..=12 => self.go_to(self.at - hour * HOUR),
            _ => self.go_to(self.at + (24 - hour) * HOUR),
        }
    }

    /// Goes to a day counted from the first of a month, which may be one of
    /// the next month, at the time of day of `time`.
    fn go_to_date(&mut self, first: Date, day: i8, time: DateTime) -> Result<(), Halt> {
        let date = first.checked_add(i64::from(day - 1).days()).map_err(|_| Halt::OutOfRange)?;
        self.go_to_civil(date.to_datetime(time.time()))
    }

    /// Goes to a civil time. One that occurs twice or never is taken to be
    /// in the offset that holds, first, if it is read as UTC and, second, at
    /// the moment this makes of it: as Go's `time.Date` does.
    fn go_to_civil(&mut self, civil: DateTime) -> Result<(), Halt> {
        let as_utc = civil.to_zoned(TimeZone::UTC).map_err(|_| Halt::OutOfRange)?.timestamp().as_second();
        let guess = as_utc - self.offset(as_utc)?;
        self.go_to(as_utc - self.offset(guess)?)
    }

    fn go_to(&mut self, at: i64) -> Result<(), Halt> {
        self.at = at;
        self.civil = self.zone.to_datetime(timestamp(at)?);
        Ok(())
    }

    fn offset(&self, at: i64) -> Result<i64, Halt> {
        Ok(i64::from(self.zone.to_offset(timestamp(at)?).seconds()))
    }
}

fn timestamp(second: i64) -> Result<Timestamp, Halt> {
    Timestamp::from_second(second).map_err(|_| Halt::OutOfRange)
}
