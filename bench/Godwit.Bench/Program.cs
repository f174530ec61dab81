using System.Globalization;
using Godwit.Bench;
using Godwit.Testing;

// Usage: dotnet run -c Release --project bench/Godwit.Bench [ROWS [ROUNDS]]
var rows = args.Length > 0 ? long.Parse(args[0], CultureInfo.InvariantCulture) : 6_000_000;
var rounds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 3;
var folder = Directory.CreateTempSubdirectory("godwit-bench-").FullName;
await using var bench = new Bench(await EngineFixture.StartAsync(), folder);
await CopySpeed.RunAsync(bench, rows, rounds);
await UnderWriters.RunAsync(rows / 3);
await ViewGap.RunAsync(bench);
await OtherFigures.LinkAsync(bench, rows);
await OtherFigures.ManyPartitionsAsync(bench, 10_000, folder);
await OtherFigures.BigPartitionAsync(bench, rows * 10 / 3);
return 0;
