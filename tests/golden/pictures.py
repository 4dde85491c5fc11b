"""Writes pictures.json: what OpenCV's INTER_CUBIC and pytorch-grad-cam's scaling and colouring answer for small inputs.

Needs numpy, opencv-python and grad-cam; run it in this folder.
"""

import json

import cv2
import numpy
from pytorch_grad_cam.utils.image import scale_cam_image, show_cam_on_image

y, x = numpy.mgrid[0:29, 0:37]
grey = ((x * 23 // 3) ^ (y * 13)).astype(numpy.uint8)
resized = {size: cv2.resize(grey, (size, size), interpolation=cv2.INTER_CUBIC).tolist() for size in (64, 48)}

channel, y, x = numpy.mgrid[0:8, 0:6, 0:6]
maps = ((channel * 7 + y * 5 + x * 3) % 11 / 11).astype(numpy.float32)
gradients = ((numpy.arange(8) * 5 % 7 - 3) / 36).astype(numpy.float32)
weighted = numpy.maximum((gradients[:, None, None] * maps).sum(0), 0)
once = scale_cam_image(weighted[None], (20, 20))
cam = scale_cam_image(numpy.maximum(once, 0))[0]

# The mean of two members' pictures over a film of 512 pixels, each its map (constant along a row) in jet; every 64th pixel.
side = numpy.arange(512)
film = numpy.repeat(((side[None] + 2 * side[:, None]) % 256)[..., None], 3, 2).astype(numpy.float32) / 255
ramps = [(side / 511).astype(numpy.float32), (1 - side / 511).astype(numpy.float32) ** 2]
shown = [show_cam_on_image(film, numpy.repeat(ramp[:, None], 512, 1), use_rgb=True) for ramp in ramps]
mean_of_pictures = numpy.mean(shown, 0)[32::64, 32::64].round(2).tolist()

with open("pictures.json", "w") as file:
    json.dump({"mean_of_pictures": mean_of_pictures, "resized": resized, "cam": [round(float(v), 6) for v in cam.flatten()]}, file, separators=(",", ":"))
    file.write("\n")
