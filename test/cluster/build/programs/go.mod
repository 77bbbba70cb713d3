module github.com/refitproject/refit/test/cluster/build/programs

go 1.26.0
