using System.Globalization;
using Godwit.Bench;
using Godwit.Fixtures;

// Usage: dotnet run -c Release --project bench/Godwit.Bench [ROWS [ROUNDS [SECTION…]]]
var rows = args.Length > 0 ? long.Parse(args[0], CultureInfo.InvariantCulture) : 6_000_000;
var rounds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 3;
var folder = Directory.CreateTempSubdirectory("godwit-bench-").FullName;
var engine = await EngineFixture.StartAsync();
await using var bench = new Bench(engine, folder);
await bench.ExecuteAsync($"CREATE DATABASE {Bench.Database} ENGINE = Atomic");
(string Name, Func<Task> RunAsync)[] sections =
[
    // First, because it measures the memory of a process that has done nothing else.
    ("plan", () => OtherFigures.ManyPartitionsAsync(bench, 10_000, folder)),
    ("steps", () => ManySteps.StoresAsync(bench, 10_000, folder)),
    ("idle", () => ManySteps.IdleWorkerAsync(engine, folder)),
    ("pages", () => WebPages.RunAsync(engine, bench, folder)),
    ("copy", () => CopySpeed.RunAsync(bench, rows, rounds)),
    ("writers", () => UnderWriters.RunAsync(rows / 3)),
    ("feed", () => FeedPause.RunAsync(rows * 5 / 6, folder)),
    ("views", () => ViewGap.RunAsync(bench)),
    ("link", () => OtherFigures.LinkAsync(bench, rows)),
    ("big", () => OtherFigures.BigPartitionAsync(bench, rows * 10 / 3)),
];
foreach (var section in sections.Where(s => args.Length < 3 || args.Skip(2).Contains(s.Name, StringComparer.Ordinal)))
{
    await section.RunAsync();
}

return 0;
