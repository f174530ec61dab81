using System.Globalization;
using System.Text.RegularExpressions;
using Godwit.Metadata.Accounts;

namespace Godwit.Server.Tests.Metrics;

/// <summary>An answer of /metrics, read as Prometheus does.</summary>
internal sealed partial record Scraped(IReadOnlyDictionary<string, string> Help, IReadOnlyDictionary<string, string> Types, IReadOnlyDictionary<string, double> Samples)
{
    /// <summary>The samples of a metric, by their labels as they are written.</summary>
    public IReadOnlyDictionary<string, double> Of(string name) =>
        Samples.Where(s => s.Key == name || s.Key.StartsWith($"{name}{{", StringComparison.Ordinal)).ToDictionary(s => s.Key[name.Length..], s => s.Value, StringComparer.Ordinal);

    /// <summary>Asks a server, as whoever may look.</summary>
    public static async Task<Scraped> AskAsync(ServerFixture server, CancellationToken ct)
    {
        using var client = await server.ClientAsync(Role.Viewer);
        return Read(await client.GetStringAsync(new Uri("/metrics", UriKind.Relative), ct));
    }

    /// <summary>Reads it.</summary>
    /// <exception cref="FormatException">A line is not of the format, or stands twice.</exception>
    public static Scraped Read(string text)
    {
        Dictionary<string, string> help = new(StringComparer.Ordinal), types = new(StringComparer.Ordinal);
        Dictionary<string, double> samples = new(StringComparer.Ordinal);
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            if (Comment().Match(line) is { Success: true } comment)
            {
                (comment.Groups[1].Value == "HELP" ? help : types).Add(comment.Groups[2].Value, comment.Groups[3].Value);
            }
            else if (Sample().Match(line) is { Success: true } sample)
            {
                samples.Add(sample.Groups[1].Value, double.Parse(sample.Groups[2].Value, CultureInfo.InvariantCulture));
            }
            else
            {
                throw new FormatException($"This is no line of the format: {line}");
            }
        }

        return new Scraped(help, types, samples);
    }

    [GeneratedRegex(@"^# (HELP|TYPE) ([a-z_]+) (.+)$")]
    private static partial Regex Comment();

    [GeneratedRegex("""^([a-z_]+(?:\{[a-z]+="(?:[^"\\]|\\.)*"(?:,[a-z]+="(?:[^"\\]|\\.)*")*\})?) ([-+0-9.eE]+)$""")]
    private static partial Regex Sample();
}
