using System.Globalization;
using System.Text;

namespace Godwit.Server.Metrics;

/// <summary>Writes the text format of Prometheus, version 0.0.4: every metric with its help and its type, whether it has samples or not.</summary>
internal sealed class MetricText
{
    /// <summary>What an answer in it is.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly Dictionary<Metric, StringBuilder> _samples = Metric.All.ToDictionary(m => m, _ => new StringBuilder());

    /// <summary>Adds a sample, with the values of the metric's labels in their order.</summary>
    /// <exception cref="ArgumentException">There are more or fewer values than labels.</exception>
    public void Add(Metric metric, double value, params ReadOnlySpan<string> labels) => Add(metric, "", value, labels);

    /// <summary>Adds a sample of a metric that has several, such as the <c>_sum</c> of a summary.</summary>
    /// <inheritdoc cref="Add(Metric, double, ReadOnlySpan{string})"/>
    public void Add(Metric metric, string suffix, double value, params ReadOnlySpan<string> labels)
    {
        if (labels.Length != metric.Labels.Count)
        {
            throw new ArgumentException($"{metric.Name} has {metric.Labels.Count} labels, not {labels.Length}.", nameof(labels));
        }

        var text = _samples[metric].Append(metric.Name).Append(suffix);
        for (var i = 0; i < labels.Length; i++)
        {
            text.Append(i == 0 ? '{' : ',').Append(metric.Labels[i]).Append("=\"").Append(Escaped(labels[i]).Replace("\"", "\\\"", StringComparison.Ordinal)).Append('"');
        }

        text.Append(labels.Length > 0 ? "} " : " ").Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    /// <summary>The whole answer.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var metric in Metric.All)
        {
            text.Append("# HELP ").Append(metric.Name).Append(' ').Append(Escaped(metric.Help)).Append('\n');
            text.Append("# TYPE ").Append(metric.Name).Append(' ').Append(metric.Type).Append('\n');
            text.Append(_samples[metric]);
        }

        return text.ToString();
    }

    // Prometheus takes a zero byte for the end of the text; carriage returns would break lines for others that read it.
    private static string Escaped(string text) => text
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal)
        .Replace('\r', ' ')
        .Replace('\0', '\uFFFD');
}
