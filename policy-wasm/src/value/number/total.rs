//! Sums and products of many numbers, which are rounded otherwise than those of two.

use std::ops::Add;

use num_bigint::BigInt;

use super::{Number, NumberError, arithmetic::multiply, float::Float};

impl Number {
    /// The sum. Source: OPA, `sum`.
    /// Errors: `TooLarge`.
    pub(crate) fn sum<'a>(
        numbers: impl Iterator<Item = &'a Self> + Clone,
    ) -> Result<Self, NumberError> {
        let small = numbers.clone().try_fold(0_i64, |sum, number| match number {
            Self::Int(number) => sum.checked_add(*number),
            Self::Text(_) => None,
        });
        if let Some(sum) = small {
            return Ok(Self::Int(sum));
        }
        if numbers.clone().all(Self::is_integer) {
            let sum = numbers.into_iter().try_fold(BigInt::ZERO, |sum, number| {
                Ok(sum.add(number.to_integer()?.unwrap_or_default()))
            })?;
            return Self::of_integer(&sum);
        }
        let sum = numbers
            .into_iter()
            .try_fold(Float::zero(), |sum, number| Ok(sum.add(number.to_float()?)))?;
        Self::of_float(sum)
    }

    /// The product; of 53 bits, if a number is not whole. Source: OPA, `product`.
    /// Errors: `TooLarge`.
    pub(crate) fn product<'a>(
        numbers: impl Iterator<Item = &'a Self> + Clone,
    ) -> Result<Self, NumberError> {
        let small = numbers
            .clone()
            .try_fold(1_i64, |product, number| match number {
                Self::Int(number) => product.checked_mul(*number),
                Self::Text(_) => None,
            });
        if let Some(product) = small {
            return Ok(Self::Int(product));
        }
        if numbers.clone().all(Self::is_integer) {
            let product = numbers
                .into_iter()
                .try_fold(BigInt::from(1), |product, number| {
                    multiply(&product, &number.to_integer()?.unwrap_or_default())
                })?;
            return Self::of_integer(&product);
        }
        let one = Float::ONE_OF_53_BITS;
        let product = numbers.into_iter().try_fold(one, |product, number| {
            Ok(product.multiply(number.to_float()?))
        })?;
        Self::of_float(product)
    }
}
