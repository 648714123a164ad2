//! Who there is and where they belong. From left to right, a feature uses only the faces to its left:
//! users, roles, organizations.

pub mod organizations;
pub mod roles;
pub mod users;
