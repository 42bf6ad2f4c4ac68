from core.bronze_customers import CUSTOMERS, extract


def test_customers_who_moved_are_listed_twice() -> None:
    customers = extract()
    assert customers.height > customers["customer_id"].n_unique() == CUSTOMERS
