"""The export wing: from a torch module to ONNX and TFLite files, each with its card and its parity with torch."""
