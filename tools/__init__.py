"""Development commands of this repository; none of them ships with the package."""
