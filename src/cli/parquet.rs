//! Rows -> Parquet: columns with types, compressed, for data frames.

use super::export::Rows;
use super::table::exact;
use anyhow::Context as _;
use jiff::Timestamp;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use serde_json::Value;
use std::io::Write;
use std::sync::Arc;

/// Rows that are kept in memory until they are written.
const GROUP: usize = 16_384;

/// What all values of a column are that are not null.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Real,
    /// An RFC 3339 time, kept as milliseconds since 1970, UTC.
    Time,
    Text,
}

/// Writes all rows.
pub(super) fn write(rows: &impl Rows, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    let kinds: Vec<Kind> = rows.columns().iter().map(|name| Kind::of(name)).collect();
    let fields = rows.columns().iter().zip(&kinds).map(|(name, kind)| kind.field(name).map(Arc::new));
    let schema = Type::group_type_builder("report").with_fields(fields.collect::<Result<_, _>>()?).build()?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
    let mut group = Vec::with_capacity(GROUP);
    rows.each(&mut |row| {
        group.push(row);
        if group.len() == GROUP {
            write_group(&mut file, &kinds, &group)?;
            group.clear();
        }
        Ok(())
    })?;
    if !group.is_empty() {
        write_group(&mut file, &kinds, &group)?;
    }
    file.close()?;
    Ok(())
}

fn write_group<W: Write + Send>(
    file: &mut SerializedFileWriter<W>,
    kinds: &[Kind],
    rows: &[Vec<Value>],
) -> anyhow::Result<()> {
    let mut group = file.next_row_group()?;
    for (i, kind) in kinds.iter().enumerate() {
        let mut column = group.next_column()?.context("the file has fewer columns than its schema")?;
        // 1 for a value, 0 for null; only values follow
        let levels: Vec<i16> = rows.iter().map(|row| i16::from(!row[i].is_null())).collect();
        let values = rows.iter().map(|row| &row[i]).filter(|value| !value.is_null());
        match kind {
            Kind::Integer => {
                let values: Vec<i64> = values.filter_map(Value::as_i64).collect();
                column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
            }
            Kind::Real => {
                let values: Vec<f64> = values.filter_map(Value::as_f64).collect();
                column.typed::<DoubleType>().write_batch(&values, Some(&levels), None)?;
            }
            Kind::Time => {
                let values: Vec<i64> = values.filter_map(time).map(|time| time.as_millisecond()).collect();
                column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)?;
            }
            Kind::Text => {
                let values: Vec<ByteArray> = values.map(|value| exact(value).into_bytes().into()).collect();
                column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
            }
        }
        column.close()?;
    }
    group.close()?;
    Ok(())
}

/// A time as the ledger writes it; a day alone is none.
fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

impl Kind {
    /// A name means the same in all views, and what it holds must not depend on the rows that are there: files of one report belong
    /// together, those of months without a row, too.
    fn of(column: &str) -> Self {
        match column {
            // a reader's own words
            "read_at" => Self::Text,
            "at" | "since" => Self::Time,
            "accuracy" | "agreement" | "entropy" | "loss" | "p" | "p0" | "p1" | "p2" | "p3" | "p4" | "p_adjusted"
            | "probability" | "quadratic_kappa" | "rate" | "seconds" | "size" | "statistic" => Self::Real,
            "attempts" | "bytes" | "change" | "change_since_first" | "duplicates" | "epoch" | "epochs" | "failed"
            | "fits" | "fitted" | "fold" | "grade" | "grade_before" | "highest" | "in_service" | "in_work"
            | "is_best" | "is_last" | "kept_epoch" | "kl0" | "kl1" | "kl2" | "kl3" | "kl4" | "lowest" | "members"
            | "needs_review" | "placed" | "published" | "quarantined" | "readers" | "refused" | "repeats"
            | "settles" | "stands" => Self::Integer,
            name if name.ends_with("_at") => Self::Time,
            name if name.starts_with("mean_") => Self::Real,
            name if ["_rate", "_loss", "_seconds"].iter().any(|end| name.ends_with(end)) => Self::Real,
            name if name.ends_with("_grade") || name.ends_with("knees") || is_cell(name) => Self::Integer,
            _ => Self::Text,
        }
    }

    fn field(self, name: &str) -> parquet::errors::Result<Type> {
        let (physical, logical) = match self {
            Self::Integer => (Physical::INT64, None),
            Self::Real => (Physical::DOUBLE, None),
            Self::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
            Self::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field = Type::primitive_type_builder(name, physical).with_logical_type(logical);
        field.with_repetition(Repetition::OPTIONAL).build()
    }
}

/// `r0_e0` to `r4_e4`: a cell of the confusion matrix.
fn is_cell(column: &str) -> bool {
    matches!(column.as_bytes(), [b'r', b'0'..=b'4', b'_', b'e', b'0'..=b'4'])
}
