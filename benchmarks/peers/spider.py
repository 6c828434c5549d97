"""The listing read by Scrapy, as its tutorial would have it: `python spider.py URL FEED`.

Like every crawl here it prints a line of JSON: its entries, and seconds from before the first request to after the last
item is in the feed.
"""

import json
import sys
import time
from datetime import datetime
from decimal import Decimal

import scrapy
from scrapy.crawler import CrawlerProcess


class Prices(scrapy.Spider):
    name = "prices"

    def parse(self, response):
        for row in response.css("table.prices tr.item"):
            price = row.css(".price::text").get().strip().removesuffix(" €")
            yield {
                "key": row.attrib["data-sku"],
                "topic": row.css(".group::text").get(),
                "url": response.urljoin(row.css(".name a::attr(href)").get()),
                "name": "".join(row.css(".name ::text").getall()),
                "price": Decimal(price.replace(".", "").replace(",", ".")),
                "valid_from": datetime.strptime(row.css(".from::text").get(), "%d.%m.%Y").date(),
                "stock": int(row.css(".stock::text").get().replace(",", "")),
            }
        yield from response.follow_all(css="a[rel=next]", callback=self.parse)


def main(url, feed):
    settings = {
        "ROBOTSTXT_OBEY": True,
        "LOG_LEVEL": "ERROR",
        "TELNETCONSOLE_ENABLED": False,
        "FEEDS": {feed: {"format": "jsonlines", "overwrite": True}},
    }
    process = CrawlerProcess(settings)
    crawler = process.create_crawler(Prices)
    process.crawl(crawler, start_urls=[url])
    began, used = time.perf_counter(), time.process_time()
    process.start()
    seconds = {"wall": time.perf_counter() - began, "processor": time.process_time() - used}
    print(json.dumps({"entries": crawler.stats.get_value("item_scraped_count"), **seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
