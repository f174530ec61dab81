using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Godwit.Bench;

/// <summary>What four writers without pause feel of a rebuild: the demo, run as a person runs it.</summary>
internal static class UnderWriters
{
    public static async Task RunAsync(long rows)
    {
        Report.Head($"A rebuild of {rows:N0} rows under four writers without pause");
        var start = new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "Godwit.Cli.dll"), "demo", "--rows", rows.ToString(CultureInfo.InvariantCulture), "--output", "json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var demo = Process.Start(start)!;
        var said = demo.StandardError.ReadToEndAsync();
        var document = await demo.StandardOutput.ReadToEndAsync();
        await demo.WaitForExitAsync();
        if (demo.ExitCode != 0)
        {
            throw new InvalidOperationException($"The demo ended with {demo.ExitCode}: {await said}{document}");
        }

        using var result = JsonDocument.Parse(document);
        double Figure(string name) => result.RootElement.GetProperty(name).GetDouble();
        var before = Figure("insertP99MsBefore");
        var during = Figure("insertP99MsDuring");
        Report.Say("lost, duplicated, refused", $"{Figure("lost")}, {Figure("duplicated")}, {Figure("refusedWrites")}", "must be 0");
        Report.Say("rows invisible for at most", $"{Figure("visibilityGapMs"):0} ms", "aim: below 1000 ms");
        Report.Line("insert p99 before", before / 1000, 1);
        Report.Line("insert p99 during", during / 1000, during / before, "aim: at most 1.5");
    }
}
