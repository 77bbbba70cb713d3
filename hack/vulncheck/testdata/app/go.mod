module example.test/app

go 1.26.0

require example.test/frail v1.0.0
