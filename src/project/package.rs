//! Packages: projects inside the project, each with its own names. A file belongs to the package in whose folder it is.

use std::path::{Path, PathBuf};

use super::{Flavour, Project, Vars};

/// An installed package.
#[derive(Debug, Clone)]
pub struct Package {
    /// The `name:` of the package's own project file.
    pub name: String,
    /// Where its files are, relative to the project folder.
    pub folder: PathBuf,
    /// What `var()` gives in its files.
    pub vars: Vars,
    pub flavour: Flavour,
}

impl Project {
    /// Whose defaults hold for a file.
    pub fn flavour_of(&self, path: &Path) -> Flavour {
        let package = self.packages.iter().find(|package| path.starts_with(&package.folder));
        package.map_or(self.flavour, |package| package.flavour)
    }

    /// Whether a package of this name is installed; one that comes with unimig then gives way to it.
    pub fn has_package(&self, name: &str) -> bool {
        self.packages.iter().any(|package| package.name == name)
    }

    /// The package that the file of `path` (relative to the project folder) belongs to: the project's own name, or an
    /// installed package's.
    pub fn package_of(&self, path: &Path) -> &str {
        let package = self.packages.iter().find(|package| path.starts_with(&package.folder));
        package.map_or(self.name.as_str(), |package| package.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::fixture::Fixture;

    #[test]
    fn a_file_belongs_to_the_package_in_whose_folder_it_is() {
        let mut project = Fixture::new().load().expect("the project is sound");
        let folder = PathBuf::from("dbt_packages/money");
        let package = Package { name: "money".to_owned(), folder, vars: Vars::new(), flavour: Flavour::Dbt };
        project.packages.push(package);

        assert_eq!(project.package_of(Path::new("models/bl/a.sql")), "shop");
        assert_eq!(project.package_of(Path::new("dbt_packages/money/models/b.sql")), "money");
        assert_eq!(project.package_of(Path::new("dbt_packages/money_more/models/b.sql")), "shop");
    }
}
