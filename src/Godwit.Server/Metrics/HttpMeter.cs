using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Godwit.Server.Metrics;

/// <summary>Counts the requests of this server by listening to the framework's own measurements.</summary>
internal sealed class HttpMeter : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(string Method, string Route, string Status), Series> _series = new();

    /// <summary>Begins to listen.</summary>
    /// <param name="factory">What makes the meters of this server: those of the process may be of others, too.</param>
    public HttpMeter(IMeterFactory factory)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Name == "http.server.request.duration" && ReferenceEquals(instrument.Meter.Scope, factory))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>(Count);
        _listener.Start();
    }

    /// <summary>Writes what was counted so far.</summary>
    public void Write(MetricText text)
    {
        var all = _series.Select(s => (s.Key, Value: s.Value.Read())).OrderBy(s => s.Key.Route, StringComparer.Ordinal).ThenBy(s => s.Key.Method, StringComparer.Ordinal).ToList();
        foreach (var (key, value) in all)
        {
            text.Add(Metric.HttpRequests, value.Count, key.Method, key.Route, key.Status);
        }

        foreach (var route in all.GroupBy(s => (s.Key.Method, s.Key.Route)))
        {
            text.Add(Metric.HttpDuration, "_sum", route.Sum(s => s.Value.Seconds), route.Key.Method, route.Key.Route);
            text.Add(Metric.HttpDuration, "_count", route.Sum(s => s.Value.Count), route.Key.Method, route.Key.Route);
        }
    }

    public void Dispose() => _listener.Dispose();

    // Methods that nobody has heard of are one to the framework, and routes are patterns: callers cannot make series.
    private void Count(Instrument instrument, double seconds, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        var (method, route, status) = ("", "", "");
        foreach (var (name, value) in tags)
        {
            switch (name)
            {
                case "http.request.method":
                    method = $"{value}";
                    break;
                case "http.route":
                    route = $"{value}";
                    break;
                case "http.response.status_code":
                    status = $"{(int)value! / 100}xx";
                    break;
                default:
                    break;
            }
        }

        _series.GetOrAdd((method, route, status), _ => new Series()).Add(seconds);
    }

    private sealed class Series
    {
        private readonly Lock _gate = new();
        private long _count;
        private double _seconds;

        public void Add(double seconds)
        {
            lock (_gate)
            {
                _count++;
                _seconds += seconds;
            }
        }

        public (long Count, double Seconds) Read()
        {
            lock (_gate)
            {
                return (_count, _seconds);
            }
        }
    }
}
