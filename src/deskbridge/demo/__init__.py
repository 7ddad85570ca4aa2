"""The demo: named people, a believable week of tickets, and a seeder of any number of them."""
