//! Settings whose fields are those of one type, and which the API describes in its own words.

/// Makes types the settings of a file.
macro_rules! plain_settings {
    ($($settings:ty),+) => {$(
        impl $crate::domain::settings::Settings for $settings {
            const SECOND_NAMES: &[$crate::domain::settings::SecondName] = &[];

            fn read(
                fields: &$crate::domain::settings::Fields,
            ) -> Result<Self, $crate::domain::settings::Unreadable> {
                $crate::domain::settings::part(fields)
            }

            fn fields(&self) -> $crate::domain::settings::Fields {
                $crate::domain::settings::fields_of(self)
            }

            fn schemas() -> Vec<utoipa::openapi::RefOr<utoipa::openapi::Schema>> {
                Vec::new()
            }
        }
    )+};
}

pub(super) use plain_settings;
