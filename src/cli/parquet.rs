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

/// What all values of a column are that are not null; a text where there are none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integer,
    Real,
    /// An RFC 3339 time, kept as milliseconds since 1970, UTC.
    Time,
    Text,
}

/// Writes all rows, after it has gone through them once to see of which kind each column is.
pub(super) fn write(rows: &impl Rows, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    let mut kinds = vec![None; rows.columns().len()];
    rows.each(&mut |row| {
        kinds.iter_mut().zip(&row).for_each(|(kind, value)| *kind = Kind::joined(*kind, Kind::of(value)));
        Ok(())
    })?;
    let kinds: Vec<Kind> = kinds.into_iter().map(|kind| kind.unwrap_or(Kind::Text)).collect();
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
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Number(number) if number.is_i64() => Some(Self::Integer),
            Value::Number(_) => Some(Self::Real),
            value if time(value).is_some() => Some(Self::Time),
            _ => Some(Self::Text),
        }
    }

    fn joined(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (one, None) | (None, one) => one,
            (Some(one), Some(other)) if one == other => Some(one),
            (Some(Self::Integer | Self::Real), Some(Self::Integer | Self::Real)) => Some(Self::Real),
            _ => Some(Self::Text),
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
